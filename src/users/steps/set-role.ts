import { contentOf, methodOf, type StepOf, userOf } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Sets roles: repeatable, and the role can be read back. */
export const setRoleStep: StepOf = (target) => ({
  name: 'setRole',
  nature: 'set-visible',
  isShown: true,
  wasDone: 'The role was changed.',
  mayBeDone: 'Whether the role was changed is not known.',
  send: (parcels, call) =>
    methodOf(target, 'setRoles')(
      target.vendorClusterId,
      parcels.map(({ item }) => ({ username: item.name, role: contentOf(item).role ?? 'member' })),
      call,
    ),
  readingOf: (item, found) => (userOf(found)?.role === contentOf(item).role ? 'as_asked' : 'present'),
  outcome: (item, finding) =>
    finding.verdict === 'done'
      ? doneWith('updated', finding, target, item)
      : notDoneWith('set-visible', target, item, finding, {
          notDone: `The role was ${userOf(finding.found)?.role ?? 'another'} when read back.`,
          unknown: () => 'Whether the role was changed could not be read back.',
        }),
});
