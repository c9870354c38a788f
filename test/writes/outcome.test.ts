import { expect, it } from '@jest/globals';
import { GatewayError } from '../../src/errors.js';
import type { ItemRecord } from '../../src/journal/records.js';
import type { ErrorCode } from '../../src/model.js';
import { failedWith, inViewOf } from '../../src/writes/outcome.js';
import type { Step } from '../../src/writes/resource.js';

const step = { nature: 'set-hidden', wasDone: 'It was made.', mayBeDone: 'Whether it was changed is not known.' } as Step;
const site = { step: () => step };
const item = (sends: number): ItemRecord => ({ index: 0, op: 'ensure', name: 'a', steps: ['change'], sends }) as ItemRecord;

it.each<[ErrorCode, 'refused' | 'failed', ErrorCode]>([
  ['invalid_user', 'refused', 'vendor_timeout'],
  ['precondition_failed', 'refused', 'vendor_timeout'],
  ['vendor_unavailable', 'failed', 'vendor_unavailable'],
])('after a call that may have had an effect, %s does not claim that nothing was done', (code, status, reported) => {
  const outcome = failedWith(new GatewayError(code, 'Not now.', { retryable: false }), status);
  expect(inViewOf(item(0), outcome, site)).toBe(outcome);
  expect(inViewOf(item(1), outcome, site)).toMatchObject({
    status: 'unknown',
    error: { code: reported, effect: 'open', retryable: false, message: 'Not now. Whether it was changed is not known.' },
  });
});
