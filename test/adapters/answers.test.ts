/** What a vendor's failure says about the effect of a call, and how long it asks to wait. */
import { describe, expect, it } from '@jest/globals';
import * as ehpc from '../../adapters/alibaba-ehpc/errors.js';
import * as shanhe from '../../adapters/shanhe-hpc/errors.js';
import type { GatewayError } from '../../src/errors.js';
import type { HttpResponse } from '../../src/vendor/client.js';

const NOW = new Date('2026-01-02T03:04:05.000Z');
type Read = (response: HttpResponse, now: Date) => unknown;

const failureOf = (read: Read, status: number, body: unknown, headers: HttpResponse['headers'] = {}): GatewayError => {
  try {
    read({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, NOW);
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error('The answer was taken for a success.');
};

const HTML = '<html>Bad gateway</html>';

describe('E-HPC', () => {
  it.each([
    [503, { Code: 'ServiceUnavailable' }, 'vendor_unavailable', 'ended'],
    [503, { Code: 'ServiceUnavailable.Busy' }, 'vendor_unavailable', 'ended'],
    [500, { Code: 'InternalError' }, 'vendor_unavailable', 'open'],
    [500, { Code: 'InternalError.Timeout' }, 'vendor_unavailable', 'open'],
    [500, { Code: 'UnknownError' }, 'vendor_unavailable', 'open'],
    [500, { Code: 'SomethingNew' }, 'vendor_unavailable', 'open'],
    [400, { Code: 'SignatureNonceUsed' }, 'vendor_unavailable', 'open'],
    [503, {}, 'vendor_unavailable', 'open'],
    [502, HTML, 'vendor_unavailable', 'open'],
    [200, HTML, 'vendor_bad_response', 'open'],
    [400, { Code: 'Throttling.User' }, 'vendor_rate_limited', 'none'],
    [429, HTML, 'vendor_rate_limited', 'none'],
    [406, { Code: 'AgentError' }, 'cluster_agent_failed', 'ended'],
    [404, { Code: 'InvalidAction.NotFound' }, 'vendor_bad_response', 'none'],
  ])('HTTP %i %j is %s with the effect %s', (status, body, code, effect) => {
    expect(failureOf(ehpc.readAnswer, status, body)).toMatchObject({ code, effect });
  });

  it.each([
    [{ 'x-acs-retry-after': '2500', 'retry-after': '17' }, 2_500],
    [{ 'x-acs-retry-after': '0' }, 1_000],
    [{ 'x-acs-retry-after': 'Infinity', 'retry-after': '17' }, 17_000],
    [{ 'retry-after': 'Fri, 02 Jan 2026 03:04:35 GMT' }, 30_000],
    [{ 'x-acs-retry-after': '1e12' }, 3_600_000],
    [{ 'retry-after': 'nonsense' }, undefined],
    [{}, undefined],
  ])('%j asks to wait for %j ms', (headers, ms) => {
    expect(failureOf(ehpc.readAnswer, 429, { Code: 'Throttling' }, headers as HttpResponse['headers']).retryAfterMs).toBe(ms);
  });
});

it('E-HPC names its request in a header where its body does not', () => {
  const headers = { 'x-acs-request-id': 'A1-B2' };
  expect(failureOf(ehpc.readAnswer, 502, HTML, headers).vendor?.requestId).toBe('A1-B2');
  expect(failureOf(ehpc.readAnswer, 500, { Code: 'UnknownError' }, headers).vendor?.requestId).toBe('A1-B2');
  expect(failureOf(ehpc.readAnswer, 500, { Code: 'UnknownError', RequestId: 'C3' }, headers).vendor?.requestId).toBe('C3');
});

describe('Shanhe', () => {
  it.each([
    [200, { ret_code: 5100 }, 'vendor_unavailable', 'ended'],
    [200, { ret_code: 5200 }, 'vendor_unavailable', 'ended'],
    [503, { ret_code: 5300 }, 'vendor_unavailable', 'ended'],
    [503, { message: 'no code' }, 'vendor_unavailable', 'open'],
    [502, HTML, 'vendor_unavailable', 'open'],
    [200, HTML, 'vendor_bad_response', 'open'],
    [200, { ret_code: 2500 }, 'vendor_rate_limited', 'none'],
    [429, HTML, 'vendor_rate_limited', 'none'],
    [200, { ret_code: 5000 }, 'cluster_agent_failed', 'ended'],
    [200, { ret_code: 1660 }, 'vendor_bad_response', 'open'],
  ])('HTTP %i %j is %s with the effect %s', (status, body, code, effect) => {
    expect(failureOf(shanhe.readAnswer, status, body)).toMatchObject({ code, effect });
  });

  it.each([
    [2500, undefined, 60_000],
    [2500, 'nonsense', 60_000],
    [2500, '-1', 60_000],
    [2500, '0', 1_000],
    [2500, '17', 17_000],
    [2500, '1e9', 3_600_000],
    [2500, 'Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
    [5100, undefined, undefined],
    [5100, '17', 17_000],
  ])('%i with Retry-After %j asks to wait for %j ms', (retCode, value, ms) => {
    const headers = value === undefined ? {} : { 'retry-after': value };
    expect(failureOf(shanhe.readAnswer, 200, { ret_code: retCode }, headers).retryAfterMs).toBe(ms);
  });
});
