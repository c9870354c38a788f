import { afterAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/clock.js';
import { Secret } from '../../src/secret.js';
import { createTransports } from '../../src/vendor/transports.js';

describe('ways to vendors', () => {
  const transports = createTransports('test', systemClock);
  afterAll(() => transports.close());
  const proxy = (password: string) => ({ proxy: new Secret(`http://user:${password}@127.0.0.1:3128`) });

  it('are shared by accounts with the same proxy', () => {
    expect(transports.of({})).toBe(transports.of({}));
    expect(transports.of(proxy('one'))).toBe(transports.of(proxy('one')));
  });

  it('are apart for others, even where the proxies differ by a password only', () => {
    const all = [transports.of({}), transports.of(proxy('one')), transports.of(proxy('two'))];
    expect(new Set(all).size).toBe(3);
  });
});
