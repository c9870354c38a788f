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
      : notDoneWith(deleteStep, target, item, finding, {
          notDone: 'The user was not deleted.',
          unknown: ({ reading }) => {
            if (reading === 'absent') return 'There is no such user now; whether this request deleted them is not known.';
            if (reading === 'present')
              return 'There is a user of this name who was made since; whether this request deleted the earlier one is not known.';
            return 'Whether the user was deleted could not be read back.';
          },
        }),
};
