import { methodOf, type Step } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Deletes users. Their files stay, as the vendors document it. */
export const deleteStep: Step = {
  name: 'delete',
  nature: 'remove',
  send: (target, parcels, call) =>
    methodOf(target, 'deleteUsers')(
      target.vendorClusterId,
      parcels.map(({ item }) => item.username),
      call,
    ),
  readingOf: () => 'present',
  result: (target, item, finding) =>
    finding.verdict === 'done'
      ? doneWith('deleted', null, target)
      : notDoneWith(target, item, finding, {
          notDone: 'The user was not deleted.',
          unknown: ({ reading }) =>
            reading === 'absent'
              ? 'There is no such user now; whether this request deleted them is not known.'
              : 'Whether the user was deleted could not be read back.',
        }),
};
