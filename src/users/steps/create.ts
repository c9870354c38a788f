import { methodOf, type Step } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Creates users. A taken name is never overwritten, by no vendor. */
export const createStep: Step = {
  name: 'create',
  nature: 'add',
  send: (target, parcels, call) =>
    methodOf(target, 'createUsers')(
      target.vendorClusterId,
      parcels.map(({ item: { username, role = 'member', directoryMode }, password }) => ({
        username,
        password,
        role,
        ...(directoryMode !== undefined && { directoryMode }),
      })),
      call,
    ),
  readingOf: () => 'present',
  result: (target, item, finding) =>
    finding.verdict === 'done'
      ? doneWith('created', finding.found, target)
      : notDoneWith(createStep, target, item, finding, {
          notDone: 'The user was not created.',
          unknown: ({ reading }) =>
            reading === 'present'
              ? 'There is a user of this name now; whether this request created them is not known. Set their password, or delete them.'
              : 'Whether the user was created could not be read back.',
        }),
};
