import { methodOf, type Step } from './step.js';
import { doneWith, notDoneWith } from './wording.js';

/** Sets passwords: repeatable, and never readable. */
export const setPasswordStep: Step = {
  name: 'setPassword',
  nature: 'set-hidden',
  send: (target, parcels, call) =>
    methodOf(target, 'setPasswords')(
      target.vendorClusterId,
      parcels.map(({ item: { username }, password }) => ({ username, password })),
      call,
    ),
  readingOf: () => 'present',
  result: (target, item, finding) =>
    finding.verdict === 'done'
      ? doneWith('updated', finding.found, target)
      : notDoneWith(setPasswordStep, target, item, finding, {
          notDone: 'The password was not set.',
          unknown: () => 'Whether the password was set cannot be read back; setting it again does no harm.',
        }),
};
