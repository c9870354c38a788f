/** An OpenID Connect issuer on 127.0.0.1, made with nothing of the code that verifies its tokens. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export const AUDIENCE = 'hpc-gateway';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly pair: KeyPair;
  readonly jwk: JWK;
}

export const makeKey = async (alg: string, kid: string): Promise<SigningKey> => {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
};

export interface TokenOptions {
  readonly key?: SigningKey;
  /** Beside `alg`; `typ: at+jwt` and the `kid` of the key where nothing else is given. Undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface TestIssuer {
  readonly url: string;
  readonly jwksUri: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** What is published. */
  keys: SigningKey[];
  /** Answers in place of the issuer where it returns true. */
  behave: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** A good token for an hour; claims that are undefined are left out. */
  sign(claims?: Readonly<Record<string, unknown>>, options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
}

const HOUR = 3_600;

export const startIssuer = async (port = 0): Promise<TestIssuer> => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (issuer.behave(request, response)) return;
    const answer: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: issuer.jwksUri },
      '/jwks': { keys: issuer.keys.map(({ jwk }) => jwk) },
    };
    const body = answer[request.url ?? ''];
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const first = await makeKey('RS256', 'first');

  const issuer: TestIssuer = {
    url: `${origin}/`,
    jwksUri: `${origin}/jwks`,
    requests,
    keys: [first],
    behave: () => false,
    sign: async (claims = {}, { key = first, header = {} } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const given = { iss: `${origin}/`, aud: AUDIENCE, sub: 'alice', iat: now, exp: now + HOUR, ...claims };
      const payload = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      return new SignJWT(payload as JWTPayload)
        .setProtectedHeader({ typ: 'at+jwt', kid: key.kid, ...header, alg: key.alg } as never)
        .sign(key.pair.privateKey);
    },
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
};
