/** Patterns of ids of clusters: what fits them, and that a long id costs nothing. */
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fitsGlob } from '../../src/callers/globs.js';
import { mayOn } from '../../src/callers/rights.js';

/** The same by a regular expression, which is slow for long texts. */
const fitsExpression = (glob: string, text: string): boolean =>
  new RegExp(`^${glob.replace(/[.*]/g, (char) => (char === '*' ? '.*' : `\\${char}`))}$`, 's').test(text);

/** The longest that fits into a request line. */
const LONGEST = 16_000;
const MAX_TURN_MS = 50;

describe('a pattern of ids', () => {
  it.each([
    ['jn-1', 'jn-1', true],
    ['jn-1', 'jn-12', false],
    ['jn-*', 'jn-', true],
    ['jn-*', 'xjn-1', false],
    ['*', '', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*b', 'ab', false],
    ['a.c', 'abc', false],
    ['*-gpu-*', 'hz-gpu-1', true],
    ['*-gpu-*', 'hz-gpu', false],
  ])('%s and %s: %s', (glob, text, fits) => {
    expect(fitsGlob(glob, text)).toBe(fits);
  });

  it('fits what the same regular expression fits', () => {
    const letters = fc.constantFrom('a', 'b', '.', '-');
    const globs = fc.string({ unit: fc.oneof(letters, fc.constant('*')), maxLength: 6 });
    const texts = fc.string({ unit: letters, maxLength: 8 });
    fc.assert(
      fc.property(globs, texts, (glob, text) => fitsGlob(glob, text) === fitsExpression(glob, text)),
      { numRuns: 5_000 },
    );
  });

  it('costs no time with an id as long as a request line', () => {
    const rights = [{ clusters: ['jn-*-*-*z'], verbs: ['read'], roles: ['member'] }] as const;
    const began = performance.now();
    expect(mayOn(rights, ['read'], `jn-${'-'.repeat(LONGEST)}`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(MAX_TURN_MS);
  });
});
