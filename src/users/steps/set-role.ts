import { methodOf, type Step } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Sets roles: repeatable, and the role can be read back. */
export const setRoleStep: Step = {
  name: 'setRole',
  nature: 'set-visible',
  send: (target, parcels, call) =>
    methodOf(target, 'setRoles')(
      target.vendorClusterId,
      parcels.map(({ item: { username, role = 'member' } }) => ({ username, role })),
      call,
    ),
  readingOf: ({ role }, found) => (found.role === role ? 'as_asked' : 'present'),
  result: (target, item, finding) =>
    finding.verdict === 'done'
      ? doneWith('updated', finding.found, target)
      : notDoneWith(setRoleStep, target, item, finding, {
          notDone: `The role was ${finding.found?.role ?? 'another'} when read back.`,
          unknown: () => 'Whether the role was changed could not be read back.',
        }),
};
