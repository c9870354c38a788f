import { contentOf, methodOf, type StepOf } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Creates users. A taken name is never overwritten, by no vendor. */
export const createStep: StepOf = (target) => ({
  name: 'create',
  nature: 'add',
  isShown: true,
  wasDone: 'The user was created.',
  mayBeDone: 'Whether the user was created could not be read back.',
  send: (parcels, call) =>
    methodOf(target, 'createUsers')(
      target.vendorClusterId,
      parcels.map(({ item, secret }) => {
        const { role = 'member', directoryMode } = contentOf(item);
        return { username: item.name, password: secret, role, ...(directoryMode !== undefined && { directoryMode }) };
      }),
      call,
    ),
  readingOf: () => 'present',
  outcome: (item, finding) =>
    finding.verdict === 'done'
      ? doneWith('created', finding, target, item)
      : notDoneWith('add', target, item, finding, {
          notDone: 'The user was not created.',
          unknown: ({ reading }) =>
            reading === 'present'
              ? 'There is a user of this name now; whether this request created them is not known. Set their password, or delete them.'
              : 'Whether the user was created could not be read back.',
        }),
});
