import { methodOf, type StepOf } from './step.js';
import { notDoneWith } from './wording.js';

/** Deletes users. Their files stay, as the vendors document it. */
export const deleteStep: StepOf = (target) => ({
  name: 'delete',
  nature: 'remove',
  isShown: false,
  wasDone: 'The user was deleted.',
  mayBeDone: 'Whether the user was deleted could not be read back.',
  send: (parcels, call) =>
    methodOf(target, 'deleteUsers')(
      target.vendorClusterId,
      parcels.map(({ item }) => item.name),
      call,
    ),
  readingOf: () => 'present',
  outcome: (item, finding) =>
    finding.verdict === 'done'
      ? { status: 'deleted' }
      : notDoneWith('remove', target, item, finding, {
          notDone: 'The user was not deleted.',
          unknown: ({ reading }) => {
            if (reading === 'absent') return 'There is no such user now; whether this request deleted them is not known.';
            if (reading === 'present')
              return 'There is a user of this name who was made since; whether this request deleted the earlier one is not known.';
            return 'Whether the user was deleted could not be read back.';
          },
        }),
});
