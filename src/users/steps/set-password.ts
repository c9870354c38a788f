import { methodOf, type StepOf } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Sets passwords: repeatable, and never readable. */
export const setPasswordStep: StepOf = (target) => ({
  name: 'setPassword',
  nature: 'set-hidden',
  isShown: false,
  wasDone: 'The password was set.',
  mayBeDone: 'Whether the password was set cannot be read back.',
  send: (parcels, call) =>
    methodOf(target, 'setPasswords')(
      target.vendorClusterId,
      parcels.map(({ item: { name }, secret }) => ({ username: name, password: secret })),
      call,
    ),
  readingOf: () => 'present',
  outcome: (item, finding) =>
    finding.verdict === 'done'
      ? doneWith('updated', finding, target)
      : notDoneWith('set-hidden', target, item, finding, {
          notDone: 'The password was not set.',
          unknown: () => 'Whether the password was set cannot be read back; setting it again does no harm.',
        }),
});
