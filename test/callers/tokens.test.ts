/** JSON Web Tokens of an issuer on this machine. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { exportSPKI } from 'jose';
import { createTokens } from '../../src/callers/tokens.js';
import type { Verified } from '../../src/callers/verified.js';
import type { Clock } from '../../src/clock.js';
import type { ClaimRight, IssuerConfig } from '../../src/config/auth.js';
import { asGatewayError } from '../../src/errors.js';
import { scaledClock } from '../support/fast-clock.js';
import { AUDIENCE, makeKey, type SigningKey, startIssuer, type TestIssuer } from '../support/issuer.js';

const RIGHT: ClaimRight = { clusters: ['*'], verbs: ['read'], roles: ['member'] };
const HOUR = 3_600;

let issuer: TestIssuer;
/** By which the time of the tests is ahead; the library reads `Date`, the gateway its clock. */
let ahead: number;
beforeEach(async () => {
  issuer = await startIssuer();
  ahead = 0;
  const real = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => real() + ahead);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await issuer.close();
});

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() + ahead,
  sleep: () => Promise.reject(new Error('nobody sleeps here')),
  timeout: (ms) => AbortSignal.timeout(ms),
  after: () => () => undefined,
};
const seconds = (): number => Math.floor(Date.now() / 1000);

const configOf = (more: Partial<IssuerConfig> = {}): IssuerConfig => ({
  issuer: issuer.url,
  audience: AUDIENCE,
  algorithms: ['RS256', 'ES256'],
  requireTyp: true,
  clockToleranceSeconds: 30,
  rights: [RIGHT],
  ...more,
});
const tokensOf = (more: Partial<IssuerConfig> = {}, time: Clock = clock) => createTokens([configOf(more)], {}, time);
const idOf = (verified: Verified): string | null => ('caller' in verified ? verified.caller.id : verified.refusal);
/** The id of the caller, the refusal, or the code of a failure. */
const outcomeOf = (verify: ReturnType<typeof tokensOf>, token: string): Promise<string | null> =>
  verify(token).then(idOf, (thrown: unknown) => asGatewayError(thrown).code);
const alice = (): string => `${issuer.url}#alice`;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token whose signature is made by hand. */
const handmade = (header: object, claims: object = {}, sign: (input: string) => string = () => ''): string => {
  const payload = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', exp: seconds() + HOUR, ...claims };
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign(input)}`;
};

describe('a token that is good', () => {
  it('names its caller: by discovery, and by jwksUri without it', async () => {
    expect(await outcomeOf(tokensOf(), await issuer.sign())).toBe(alice());
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
    issuer.requests.length = 0;
    expect(await outcomeOf(tokensOf({ jwksUri: issuer.jwksUri }), await issuer.sign())).toBe(alice());
    expect(issuer.requests).toEqual(['/jwks']);
  });

  it('keys are fetched once, however many ask at once', async () => {
    const [verify, token] = [tokensOf(), await issuer.sign()];
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => outcomeOf(verify, token))))).toEqual(new Set([alice()]));
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  it('may be signed by ES256, without a kid, and by one of several keys', async () => {
    const keys = await Promise.all([makeKey('ES256', 'one'), makeKey('ES256', 'two')]);
    issuer.keys = [...issuer.keys, ...keys];
    const verify = tokensOf();
    for (const key of keys) {
      expect(await outcomeOf(verify, await issuer.sign({}, { key }))).toBe(alice());
      expect(await outcomeOf(verify, await issuer.sign({}, { key, header: { kid: undefined } }))).toBe(alice());
    }
    const stranger = await makeKey('ES256', 'one');
    expect(await outcomeOf(verify, await issuer.sign({}, { key: stranger }))).toBe('The signature of the token is not valid.');
    expect(await outcomeOf(verify, await issuer.sign({}, { key: stranger, header: { kid: undefined } }))).toBe(
      'The signature of the token is not valid.',
    );
  });

  it('may have several audiences, and be a little late', async () => {
    const verify = tokensOf();
    expect(await outcomeOf(verify, await issuer.sign({ aud: ['other', AUDIENCE] }))).toBe(alice());
    expect(await outcomeOf(verify, await issuer.sign({ exp: seconds() - 20 }))).toBe(alice());
    expect(await outcomeOf(verify, await issuer.sign({ nbf: seconds() + 20 }))).toBe(alice());
    expect(await outcomeOf(tokensOf({ clockToleranceSeconds: 0 }), await issuer.sign({ exp: seconds() - 20 }))).toBe(
      'The token has expired.',
    );
  });

  it('is of one of the issuers that have that name', async () => {
    const verify = createTokens([configOf({ audience: 'another' }), configOf()], {}, clock);
    expect(await outcomeOf(verify, await issuer.sign())).toBe(alice());
  });
});

describe('a token that is not good', () => {
  const CLAIMS: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['another issuer', { iss: 'https://elsewhere.example/' }, 'The token is not one of a configured issuer.'],
    ['no issuer', { iss: undefined }, 'The token is not one of a configured issuer.'],
    ['another audience', { aud: 'another' }, 'The token is for another audience.'],
    ['no audience', { aud: undefined }, 'The token is for another audience.'],
    ['expired', { exp: 1_700_000_000 }, 'The token has expired.'],
    ['not valid yet', { nbf: 4_000_000_000, exp: 4_000_000_100 }, 'The token is not valid yet.'],
    ['no exp', { exp: undefined }, 'The token has no usable claim exp.'],
    ['exp as text', { exp: '4000000000' }, 'The token has no usable claim exp.'],
    ['no sub', { sub: undefined }, 'The token has no usable claim sub.'],
    ['empty sub', { sub: '' }, 'The token has no usable claim sub.'],
    ['long sub', { sub: 'a'.repeat(256) }, 'The token has no usable claim sub.'],
    ['sub that is a number', { sub: 7 }, 'The token is not valid.'],
    ['sub with half a character', { sub: 'a\ud800' }, 'The token has no usable claim sub.'],
  ];
  it.each(CLAIMS)('%s', async (_, claims, refusal) => {
    expect(await outcomeOf(tokensOf(), await issuer.sign(claims))).toBe(refusal);
  });

  it.each([
    ['no typ', { typ: undefined }],
    ['an id token', { typ: 'JWT' }],
  ])('%s, unless requireTyp is false', async (_, header) => {
    const token = await issuer.sign({}, { header });
    expect(await outcomeOf(tokensOf(), token)).toBe('The token is not an access token (its typ is not at+jwt).');
    expect(await outcomeOf(tokensOf({ requireTyp: false }), token)).toBe(alice());
  });

  it('alg none, with and without a signature', async () => {
    const verify = tokensOf();
    for (const alg of ['none', 'None', 'NONE', ''])
      for (const signature of ['', 'AAAA'])
        expect(
          await outcomeOf(
            verify,
            handmade({ alg, typ: 'at+jwt', kid: 'first' }, {}, () => signature),
          ),
        ).toMatch(/^The (algorithm of the token is not allowed|token is not valid)\.$/);
  });

  it('HS256, signed with the public key as its secret', async () => {
    const [key] = issuer.keys as [SigningKey];
    for (const secret of [await exportSPKI(key.pair.publicKey), JSON.stringify(key.jwk), key.jwk.n as string]) {
      const sign = (input: string): string => createHmac('sha256', secret).update(input).digest('base64url');
      const token = handmade({ alg: 'HS256', typ: 'at+jwt', kid: 'first' }, {}, sign);
      expect(await outcomeOf(tokensOf(), token)).toBe('The algorithm of the token is not allowed.');
    }
  });

  it('an algorithm that is not in the list, though the issuer publishes its key', async () => {
    const key = await makeKey('ES384', 'strong');
    issuer.keys = [key];
    const token = await issuer.sign({}, { key });
    expect(await outcomeOf(tokensOf(), token)).toBe('The algorithm of the token is not allowed.');
    expect(await outcomeOf(tokensOf({ algorithms: ['ES384'] }), token)).toBe(alice());
  });

  it('keys that its header names are not looked at, and nobody is asked for them', async () => {
    const elsewhere = await startIssuer();
    const stranger = await makeKey('RS256', 'first');
    elsewhere.keys = [stranger];
    for (const header of [
      { jku: elsewhere.jwksUri },
      { x5u: elsewhere.jwksUri },
      { jwk: stranger.jwk },
      { kid: elsewhere.jwksUri },
      { kid: '../../jwks' },
    ]) {
      const refusal = await outcomeOf(tokensOf(), await issuer.sign({}, { key: stranger, header }));
      expect(refusal).toMatch(
        /^The (signature of the token is not valid|token is signed with a key that its issuer does not have)\.$/,
      );
    }
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it.each([
    ['a critical header that nobody knows', { crit: ['unheard'], unheard: 1 }],
    ['an encoding of its own', { zip: 'DEF', crit: ['zip'] }],
  ])('%s', async (_, header) => {
    expect(await outcomeOf(tokensOf(), handmade({ alg: 'RS256', typ: 'at+jwt', kid: 'first', ...header }))).toBe(
      'The token is not valid.',
    );
  });

  it('what is no token at all, or too long, asks nobody', async () => {
    const verify = tokensOf();
    for (const text of ['', 'a', 'a.b', 'a.b.c', '..', `${encode({})}.${encode(null)}.`, `${encode({})}.${encode([])}.`, 'é.é.é'])
      expect([text, await outcomeOf(verify, text)]).toEqual([text, 'The token is not one of a configured issuer.']);
    const long = await issuer.sign({ filler: 'x'.repeat(100_000) });
    expect(await outcomeOf(verify, long)).toBe('The token is too long.');
    expect(issuer.requests).toEqual([]);
  });

  it('a changed payload, or a changed signature', async () => {
    const verify = tokensOf();
    const [header, payload, signature = ''] = (await issuer.sign()).split('.');
    const other = encode({ iss: issuer.url, aud: AUDIENCE, sub: 'root', exp: seconds() + HOUR });
    expect(await outcomeOf(verify, `${header}.${other}.${signature}`)).toBe('The signature of the token is not valid.');
    expect(await outcomeOf(verify, `${header}.${payload}.${signature.slice(4)}AAAA`)).toBe(
      'The signature of the token is not valid.',
    );
    expect(await outcomeOf(verify, `${header}.${payload}.`)).toBe('The signature of the token is not valid.');
  });

  it('no refusal quotes anything of the token', async () => {
    const secret = 'Very-Secret-Text';
    for (const claims of [{ iss: secret }, { aud: secret }, { sub: secret, exp: 1 }, { sub: secret.repeat(40) }])
      expect(await outcomeOf(tokensOf(), await issuer.sign(claims))).not.toContain(secret);
  });
});

describe('keys of the issuer', () => {
  const answerWith = (status: number, body: string): void => {
    issuer.behave = (_, response) => Boolean(response.writeHead(status).end(body));
  };
  const jwksRequests = (): number => issuer.requests.filter((path) => path === '/jwks').length;

  it('are fetched again for a new one, at most once in 30 seconds', async () => {
    const verify = tokensOf();
    await verify(await issuer.sign());
    const second = await makeKey('RS256', 'second');
    issuer.keys = [...issuer.keys, second];
    const token = await issuer.sign({}, { key: second });
    const unknown = 'The token is signed with a key that its issuer does not have.';
    for (let tries = 0; tries < 5; tries++) expect(await outcomeOf(verify, token)).toBe(unknown);
    expect(jwksRequests()).toBe(1);
    ahead += 31_000;
    expect(new Set(await Promise.all(Array.from({ length: 10 }, () => outcomeOf(verify, token))))).toEqual(new Set([alice()]));
    expect(jwksRequests()).toBe(2);
    const stranger = await issuer.sign({}, { key: await makeKey('RS256', 'third') });
    for (let tries = 0; tries < 5; tries++) expect(await outcomeOf(verify, stranger)).toBe(unknown);
    expect(jwksRequests()).toBe(2);
    ahead += 31_000;
    for (let tries = 0; tries < 5; tries++) expect(await outcomeOf(verify, stranger)).toBe(unknown);
    expect(jwksRequests()).toBe(3);
  });

  it('that were withdrawn are not good any more, ten minutes later', async () => {
    const verify = tokensOf();
    const token = await issuer.sign({ exp: seconds() + 2 * HOUR });
    expect(await outcomeOf(verify, token)).toBe(alice());
    issuer.keys = [await makeKey('RS256', 'second')];
    ahead += 11 * 60_000;
    expect(await outcomeOf(verify, token)).toBe('The token is signed with a key that its issuer does not have.');
  });

  it.each([
    ['discovery', {}],
    ['jwksUri', { jwksUri: '' }],
  ])('that cannot be had are 503, and are asked for once in five seconds: %s', async (_, more) => {
    const verify = tokensOf('jwksUri' in more ? { jwksUri: issuer.jwksUri } : {});
    const token = await issuer.sign();
    answerWith(500, '');
    for (let tries = 0; tries < 5; tries++) expect(await outcomeOf(verify, token)).toBe('issuer_unavailable');
    expect(issuer.requests).toHaveLength(1);
    const error = asGatewayError(await verify(token).catch((thrown: unknown) => thrown));
    expect([error.retryAfterMs, error.retryable]).toEqual([5_000, true]);
    ahead += 5_100;
    expect(await outcomeOf(verify, token)).toBe('issuer_unavailable');
    expect(issuer.requests).toHaveLength(2);
    issuer.behave = () => false;
    ahead += 5_100;
    expect(await outcomeOf(verify, token)).toBe(alice());
  });

  it.each([
    ['a connection that is refused', () => issuer.close()],
    ['an error', () => answerWith(500, '')],
    ['a set that is none', () => answerWith(200, '{"keys":1}')],
  ])('are good while the issuer cannot be asked: %s', async (_, fail) => {
    const verify = tokensOf();
    const [token, second] = [await issuer.sign({ exp: seconds() + 48 * HOUR }), await makeKey('RS256', 'second')];
    expect(await outcomeOf(verify, token)).toBe(alice());
    await fail();
    ahead += 11 * 60_000;
    for (let tries = 0; tries < 3; tries++) expect(await outcomeOf(verify, token)).toBe(alice());
    // Whether the issuer has a new key, nobody knows.
    expect(await outcomeOf(verify, await issuer.sign({}, { key: second }))).toBe('issuer_unavailable');
    ahead += 24 * HOUR * 1000;
    expect(await outcomeOf(verify, token)).toBe('issuer_unavailable');
  });

  const BAD: readonly (readonly [string, string, string])[] = [
    [
      'a discovery document of another issuer',
      '/.well-known/openid-configuration',
      '{"issuer":"https://x.example","jwks_uri":"https://x.example/"}',
    ],
    ['one without keys', '/.well-known/openid-configuration', '{}'],
    ['one that is no JSON', '/.well-known/openid-configuration', 'hello'],
    ['keys that are no JSON', '/jwks', 'hello'],
    ['keys that are none', '/jwks', '{}'],
    ['keys that are a list', '/jwks', '[]'],
  ];
  it.each(BAD)('%s: 503, once in five seconds', async (_, path, body) => {
    issuer.behave = (request, response) => request.url === path && Boolean(response.end(body));
    const [verify, token] = [tokensOf(), await issuer.sign()];
    for (let tries = 0; tries < 4; tries++) expect(await outcomeOf(verify, token)).toBe('issuer_unavailable');
    expect(issuer.requests.filter((asked) => asked === path)).toHaveLength(1);
  });

  it('a jwks_uri over plain http to another machine is not asked', async () => {
    issuer.behave = (request, response) =>
      request.url !== '/jwks' && Boolean(response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: 'http://192.0.2.1/jwks' })));
    expect(await outcomeOf(tokensOf(), await issuer.sign())).toBe('issuer_unavailable');
  });

  it.each(['/.well-known/openid-configuration', '/jwks'])('no redirect is followed: %s', async (path) => {
    issuer.behave = (request, response) =>
      request.url === path && Boolean(response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await outcomeOf(tokensOf(), await issuer.sign())).toBe('issuer_unavailable');
    expect(issuer.requests).not.toContain('/elsewhere');
  });

  it.each(['/.well-known/openid-configuration', '/jwks'])('an answer without an end is not read to it: %s', async (path) => {
    let sent = 0;
    issuer.behave = (request, response) => {
      if (request.url !== path) return false;
      const chunk = ' '.repeat(65_536);
      const push = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on('drain', push);
      push();
      return true;
    };
    expect(await outcomeOf(tokensOf(), await issuer.sign())).toBe('issuer_unavailable');
    // What the sockets of this machine hold comes on top.
    expect(sent).toBeLessThan(64 * 1_048_576);
  });

  it.each(['/.well-known/openid-configuration', '/jwks'])(
    'an answer that does not come, or drips, is not waited for: %s',
    async (path) => {
      for (const isSilent of [true, false]) {
        issuer.behave = (request, response) => {
          if (request.url !== path) return false;
          if (isSilent) return true;
          const timer = setInterval(() => response.write(' '), 20);
          response.once('close', () => clearInterval(timer));
          return true;
        };
        // Five seconds, by a clock that is ten times as fast.
        expect(await outcomeOf(tokensOf({}, scaledClock(10)), await issuer.sign())).toBe('issuer_unavailable');
      }
    },
  );

  it('a private key in the set is not taken', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [key] = issuer.keys as [SigningKey];
    issuer.keys = [{ ...key, jwk: { ...privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'RS256' } as never }];
    expect(await outcomeOf(tokensOf(), await issuer.sign())).toBe('The token is not valid.');
  });
});

describe('rights by claims', () => {
  const right = (claim: string | undefined, value: string | undefined, cluster: string): ClaimRight => ({
    ...RIGHT,
    clusters: [cluster],
    ...(claim !== undefined && { claim }),
    ...(value !== undefined && { value }),
  });
  const RIGHTS = [
    right('/roles', 'admin', 'list'),
    right('/realm/access/roles', 'admin', 'nested'),
    right('/scope', 'hpc:read', 'scope'),
    right('/https:~1~1hpc.example~1role', 'admin', 'slashes'),
    right('/a~0b', 'admin', 'tilde'),
    right('/a~01', 'admin', 'both'),
    right('/deep/0', 'admin', 'position'),
    right('/__proto__/x', 'admin', 'prototype'),
    right('/constructor/name', 'Object', 'inherited'),
    right(undefined, undefined, 'anybody'),
  ];
  const clustersOf = async (claims: Readonly<Record<string, unknown>>): Promise<string[]> => {
    const verified = await tokensOf({ rights: RIGHTS })(await issuer.sign(claims));
    return 'caller' in verified ? verified.caller.rights.flatMap(({ clusters }) => clusters) : [verified.refusal];
  };
  const CASES: readonly (readonly [Readonly<Record<string, unknown>>, readonly string[]])[] = [
    [{}, []],
    [{ roles: ['guest', 'admin'] }, ['list']],
    [{ roles: 'admin' }, ['list']],
    [{ roles: 'guest admin' }, ['list']],
    [{ roles: 'administrator' }, []],
    [{ roles: ['guest admin'] }, []],
    [{ roles: ['ADMIN'] }, []],
    [{ roles: { admin: true } }, []],
    [{ roles: [['admin']] }, []],
    [{ roles: null }, []],
    [{ realm: { access: { roles: ['admin'] } } }, ['nested']],
    [{ 'realm/access/roles': ['admin'] }, []],
    [{ scope: 'openid hpc:read' }, ['scope']],
    [{ scope: 'hpc:readwrite' }, []],
    [{ 'https://hpc.example/role': 'admin' }, ['slashes']],
    [{ 'a~b': 'admin' }, ['tilde']],
    [{ 'a~1': 'admin' }, ['both']],
    [{ 'a/': 'admin' }, []],
    [{ deep: ['admin'] }, []],
    [{ roles: ['admin'], scope: 'hpc:read', realm: { access: { roles: 'admin' } } }, ['list', 'nested', 'scope']],
  ];
  it.each(CASES)('%j', async (claims, clusters) => {
    expect(await clustersOf(claims)).toEqual([...clusters, 'anybody']);
  });
});
