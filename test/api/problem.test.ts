/** Problems as they are sent. */
import { describe, expect, it } from '@jest/globals';
import { fixedLinks } from '../../api/rest/base.js';
import { PROBLEM_TYPES, renderProblem } from '../../api/rest/problem.js';
import { GatewayError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/model.js';

const ABOUT = { instance: '/', requestId: 'r', links: fixedLinks(undefined) };

const retryAfter = (code: ErrorCode, retryAfterMs?: number): string | undefined =>
  renderProblem(new GatewayError(code, 'x', retryAfterMs === undefined ? {} : { retryAfterMs }), ABOUT).headers['Retry-After'];

describe('Retry-After', () => {
  it('is sent where waiting helps', () => {
    const codes = Object.keys(PROBLEM_TYPES) as ErrorCode[];
    expect(codes.filter((code) => retryAfter(code) !== undefined).sort()).toEqual([
      'backlog_full',
      'caller_rate_limited',
      'idempotency_key_in_flight',
      'issuer_unavailable',
      'request_timeout',
      'shutting_down',
      'still_running',
      'store_unavailable',
      'too_busy',
      'vendor_rate_limited',
      'vendor_timeout',
      'vendor_unavailable',
    ]);
  });

  it.each([
    [undefined, '5'],
    [0, '1'],
    [-5_000, '1'],
    [1, '1'],
    [1_001, '2'],
    [3_600_000, '3600'],
    [1e12, '3600'],
    [Number.POSITIVE_INFINITY, '3600'],
    [Number.NaN, '5'],
  ])('is within 1 and 3,600 s: %s ms', (ms, seconds) => {
    expect(retryAfter('vendor_rate_limited', ms)).toBe(seconds);
  });
});

describe('still_running', () => {
  it('names the operation in the body and in Location', () => {
    const { headers, body } = renderProblem(new GatewayError('still_running', 'x', { operation: 'op_1' }), ABOUT);
    expect(headers['Location']).toBe('/operations/op_1');
    expect(JSON.parse(body as string)).toMatchObject({ retryable: true, operation: { id: 'op_1', href: '/operations/op_1' } });
  });
});
