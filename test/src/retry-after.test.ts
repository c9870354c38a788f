import { describe, expect, it } from '@jest/globals';
import { retryAfterMs } from '../../src/vendor/retry-after.js';

const NOW = new Date('2026-01-02T03:04:05.000Z');
const inSeconds = (seconds: number, from = NOW): string => new Date(from.getTime() + seconds * 1000).toUTCString();

describe('Retry-After', () => {
  it.each([
    ['17', 17_000],
    [' 17 ', 17_000],
    ['1.5', 1_500],
    ['0', 1_000],
    ['0.001', 1_000],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['1e9', 3_600_000],
    ['99999999999999999999', 3_600_000],
    ['1e999', undefined],
    ['-1', undefined],
    ['-0', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['0x10', undefined],
    ['', undefined],
    [' ', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    ['2026-01-02', undefined],
    ['Fri, 32 Jan 2026 03:04:05 GMT', undefined],
    [inSeconds(90), 90_000],
    [inSeconds(0), 1_000],
    [inSeconds(-90), 1_000],
    [inSeconds(1e8), 3_600_000],
    ['Friday, 02-Jan-26 03:05:05 GMT', 60_000],
    ['Fri Jan  2 03:05:05 2026', 60_000],
    [undefined, undefined],
  ])('%j is %j ms', (value, ms) => {
    expect(retryAfterMs(value === undefined ? {} : { 'retry-after': value }, NOW)).toBe(ms);
  });

  it('counts a date from the Date of the answer, whatever the local clock says', () => {
    const vendorNow = new Date(NOW.getTime() + 8 * 3_600_000);
    const value = inSeconds(30, vendorNow);
    expect(retryAfterMs({ 'retry-after': value, date: vendorNow.toUTCString() }, NOW)).toBe(30_000);
    expect(retryAfterMs({ 'retry-after': inSeconds(30), date: 'today' }, NOW)).toBe(30_000);
  });

  it.each([
    ['2500', '17', 2_500],
    ['0', '17', 1_000],
    ['1e12', '17', 3_600_000],
    ['Infinity', '17', 17_000],
    ['-5', undefined, undefined],
    [undefined, '17', 17_000],
  ])('reads a header in milliseconds first: %j and %j are %j ms', (own, standard, ms) => {
    const headers = { ...(own !== undefined && { 'x-own': own }), ...(standard !== undefined && { 'retry-after': standard }) };
    expect(retryAfterMs(headers, NOW, 'x-own')).toBe(ms);
  });
});
