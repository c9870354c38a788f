/** A step that only reads, and says what an item is to do. */
import type { Target } from '../../clusters/registry.js';
import { withDetail } from '../../writes/outcome.js';
import type { Step } from '../../writes/resource.js';
import type { StepName } from './step.js';
import { failedWith, notDoneWith } from './wording.js';

/** @param mayBeDone of an earlier try, of which nobody knows how far it came @param advice what follows it, where the item ends so */
export const plannedStep = (
  target: Target,
  name: StepName,
  plan: NonNullable<Step['plan']>,
  mayBeDone: string,
  advice = '',
): Step => ({
  name,
  // As far as an earlier try is concerned.
  nature: 'set-hidden',
  isShown: true,
  wasDone: '',
  mayBeDone: `${mayBeDone}.`,
  send: () => Promise.reject(new TypeError(`${name} is planned, not sent`)),
  plan,
  readingOf: () => 'present',
  outcome: (item, finding) =>
    finding.verdict === 'was_missing' && finding.error
      ? failedWith(withDetail(finding.error, 'There is no such user.', 'none'), 'failed')
      : notDoneWith('set-hidden', target, item, finding, {
          notDone: 'Nothing was changed.',
          unknown: () => `${mayBeDone}${advice}.`,
        }),
});
