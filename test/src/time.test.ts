import { describe, expect, it } from '@jest/globals';
import { toUtc } from '../../src/time.js';

describe('vendor times', () => {
  it.each([
    ['2018-07-18T17:46:47', 'UTC', '2018-07-18T17:46:47.000Z'],
    ['2018-07-18T17:46:47', 'Asia/Shanghai', '2018-07-18T09:46:47.000Z'],
    ['2022-09-28T09:05:26.000Z', 'Asia/Shanghai', '2022-09-28T09:05:26.000Z'],
    ['2024-08-06T12:43Z', 'UTC', '2024-08-06T12:43:00.000Z'],
    ['2021-08-17T09:12:40+08:00', 'UTC', '2021-08-17T01:12:40.000Z'],
    ['2024-02-30T00:00:00Z', 'UTC', null],
    ['2024-02-29T23:59:59Z', 'Asia/Shanghai', '2024-02-29T23:59:59.000Z'],
    ['2024-13-01T00:00:00Z', 'UTC', null],
    ['2024-01-01T24:00:00Z', 'UTC', '2024-01-02T00:00:00.000Z'],
    ['2024-01-01T10:00:00.5Z', 'UTC', '2024-01-01T10:00:00.500Z'],
    ['yesterday', 'UTC', null],
    ['', 'UTC', null],
    [undefined, 'UTC', null],
    [1700000000, 'UTC', null],
  ])('%s read in %s', (text, zone, expected) => {
    expect(toUtc(text, zone)).toBe(expected);
  });
});
