/** What no client sends: ambiguous framing, odd targets, broken headers. Nothing hidden in it is executed, and the gateway serves on. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { backendNamed, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { answersIn, exchange, jsonOf, valuesOf, type WireAnswer } from '../support/wire.js';

let live: LiveBackend;
let gateway: TestGateway;
beforeAll(async () => {
  live = await backendNamed('memory').start();
  gateway = await startGateway({ ...live.raw, server: { sendSeconds: 1 } });
});
afterAll(async () => {
  await gateway.stop();
  await live.close();
});

const USERS = '/clusters/main/users';
const HOST = 'Host: localhost';
const JSON_TYPE = 'Content-Type: application/json';

/** A request that creates this user, whole and well-formed. */
const creating = (username: string): string => {
  const body = JSON.stringify({ username, password: 'Passw0rd!' });
  return `POST ${USERS} HTTP/1.1\r\n${HOST}\r\n${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};
const HIDDEN = creating('smuggled');
/** The hidden request as the data of one chunk, and as one chunk too few. */
const asChunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;

const head = (method: string, target: string, ...lines: readonly string[]): string =>
  `${[`${method} ${target} HTTP/1.1`, HOST, ...lines].join('\r\n')}\r\n\r\n`;
const post = (...lines: readonly string[]): string => head('POST', USERS, JSON_TYPE, ...lines);

const exists = async (username: string): Promise<boolean> => (await gateway.get(`${USERS}/${username}`)).status === 200;

afterEach(async () => {
  expect(await exists('smuggled')).toBe(false);
  expect((await gateway.get('/healthz')).status).toBe(200);
  expect(gateway.logged()).not.toContain('"level":50');
});

const expectProblem = (answer: WireAnswer | undefined, statuses: readonly number[] = [400]): void => {
  expect(statuses).toContain(answer?.status);
  if (!answer) return;
  expect(valuesOf(answer, 'content-type').map((type) => type.split(';')[0])).toEqual(['application/problem+json']);
  expect(valuesOf(answer, 'x-request-id')).toHaveLength(1);
  expect(jsonOf(answer)).toMatchObject({ status: answer.status, code: expect.any(String), instance: expect.any(String) });
};

/** Sends the bytes; the connection has to end by itself, with one problem or with nothing. */
const expectRefusal = async (bytes: string, statuses?: readonly number[]): Promise<void> => {
  const { bytes: got, isSilent } = await exchange(gateway.url, [bytes]);
  expect(isSilent).toBe(false);
  const answers = answersIn(got);
  if (answers.length > 0) expectProblem(answers.at(-1), statuses);
  expect(answers.length).toBeLessThanOrEqual(1);
};

describe('the length of a body', () => {
  it.each([
    ['twice, the same', ['Content-Length: 5', 'Content-Length: 5']],
    ['twice, with another value', ['Content-Length: 0', `Content-Length: ${HIDDEN.length}`]],
    ['twice in one line', [`Content-Length: 0, ${HIDDEN.length}`]],
    ['beside chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['behind chunks', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['in chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['in chunks that are no last encoding', ['Transfer-Encoding: chunked, identity']],
    ['in an unknown encoding', ['Transfer-Encoding: xchunked']],
    ['in an encoding without a value', ['Transfer-Encoding:']],
    ['with a blank before the colon', ['Transfer-Encoding : chunked', 'Content-Length: 0']],
    ['with a vertical tab', ['Transfer-Encoding:\x0bchunked', 'Content-Length: 0']],
    ['negative', ['Content-Length: -1']],
    ['with a sign', ['Content-Length: +5']],
    ['hexadecimal', ['Content-Length: 0x5']],
    ['as two numbers', ['Content-Length: 5 5']],
    ['empty', ['Content-Length:']],
    ['as a text', ['Content-Length: NaN']],
    ['beyond 64 bits', ['Content-Length: 99999999999999999999']],
    ['beyond 64 bits by little', ['Content-Length: 18446744073709551616']],
    ['in a folded line', ['Content-Length: 0', ` ${HIDDEN.length}`]],
    ['in the name of another header', [`X: y\rContent-Length: ${HIDDEN.length}`]],
  ])('%s', async (_, lines) => {
    await expectRefusal(`${post(...lines)}0\r\n\r\n${HIDDEN}`, [400, 413, 501]);
  });
});

describe('chunks', () => {
  const chunked = (body: string): string => `${post('Transfer-Encoding: chunked')}${body}`;
  it.each([
    ['without a size', `\r\n${HIDDEN}`],
    ['with a size that is no number', `zz\r\n${HIDDEN}`],
    ['with a negative size', `-1\r\n${HIDDEN}`],
    ['with a prefix', `0x5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
    ['with a blank before the size', ` 5\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
    ['with a size beyond 64 bits', `10000000000000000\r\n${HIDDEN}`],
    ['with a size of many digits', `${'f'.repeat(400)}\r\n${HIDDEN}`],
    ['longer than their size', `3\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
    ['shorter than their size', `9\r\nhello\r\n0\r\n\r\n${HIDDEN}`],
    ['with an end of line that is no CRLF', `5\nhello\n0\n\n${HIDDEN}`],
    ['with a bare LF behind an extension', `5;x=y\nhello\r\n0\r\n\r\n${HIDDEN}`],
    ['with a bare CR', `5\rhello\r\n0\r\n\r\n${HIDDEN}`],
    ['with an extension of 1 MB', `5;${'x'.repeat(1_000_000)}\r\nhello\r\n0\r\n\r\n`],
    ['with a thousand extensions', `${`1;${'a=b;'.repeat(250)}\r\nx\r\n`.repeat(400)}0\r\n\r\n`],
    ['with trailers of 1 MB', `0\r\n${`X-Trailer: ${'y'.repeat(1_000)}\r\n`.repeat(1_000)}\r\n`],
    ['with a trailer that has no name', `0\r\n: x\r\n\r\n${HIDDEN}`],
  ])('%s', async (_, body) => {
    await expectRefusal(chunked(body), [400, 413, 431]);
  });

  it('that never end time out', async () => {
    await expectRefusal(chunked('5\r\nhello\r\n'), [408]);
  });

  it('with extensions and trailers are a body; trailers are no headers', async () => {
    const body = JSON.stringify({ username: 'trailing', password: 'Passw0rd!' });
    const trailers = ['X-Request-Id: from-the-trailer', 'Host: evil.example', 'Idempotency-Key: t'];
    const bytes = `${post('Transfer-Encoding: chunked', 'Connection: close', 'Trailer: X-Request-Id')}${body.length.toString(16)};a="b"\r\n${body}\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`;
    const answers = answersIn((await exchange(gateway.url, [bytes])).bytes);
    expect(answers.map(({ status }) => status)).toEqual([201]);
    expect(valuesOf(answers[0] as WireAnswer, 'x-request-id')).not.toContain('from-the-trailer');
    expect(await exists('trailing')).toBe(true);
  });
});

describe('headers', () => {
  it.each([
    ['folded', ['X-Long: a', ' b']],
    ['folded before the first one', [' X: y']],
    ['with NUL in a value', ['X-Nul: a\0b']],
    ['with NUL in a name', ['X\0Nul: a']],
    ['with CR in a value', ['X-Cr: a\rb']],
    ['with a line end hidden in a value', ['X: a\nTransfer-Encoding: chunked']],
    ['with a control character', ['X-Bell: \x07']],
    ['without a colon', ['nonsense']],
    ['without a name', [': x']],
    ['with a blank in the name', ['X Y: z']],
    ['with a blank before the colon', ['X : y']],
    ['of more than 16 KiB', [`X: ${'y'.repeat(20_000)}`]],
    ['of more than 16 KiB together', Array.from({ length: 400 }, (_, index) => `X-${index}: ${'y'.repeat(60)}`)],
  ])('%s', async (_, lines) => {
    await expectRefusal(`${head('GET', '/clusters', ...lines)}${HIDDEN}`, [400, 431]);
  });

  it.each([
    ['HTTP/1.1 without Host', 'GET /clusters HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a probe without Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two Hosts', `GET /clusters HTTP/1.1\r\n${HOST}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`],
    ['an empty Host', 'GET /clusters HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['bare LF at the ends of all lines', `GET /clusters HTTP/1.1\n${HOST}\n\n`],
    ['bare CR at the ends of all lines', `GET /clusters HTTP/1.1\r${HOST}\r\r`],
    ['half a line', 'GET /clus'],
    ['half of the headers', `GET /clusters HTTP/1.1\r\n${HOST}\r\nX-Half: `],
    ['no HTTP at all', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
    ['nothing but line ends', '\r\n'.repeat(1_000)],
  ])('%s', async (_, bytes) => {
    await expectRefusal(bytes, [400, 408, 421]);
  });
});

describe('request lines', () => {
  it.each([
    ['HTTP/0.9', 'GET /clusters\r\n\r\n'],
    ['HTTP/1.0 without Host', 'GET /clusters HTTP/1.0\r\n\r\n'],
    ['HTTP/1.0 with chunks', `POST ${USERS} HTTP/1.0\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
    ['HTTP/2', `GET /clusters HTTP/2.0\r\n${HOST}\r\nConnection: close\r\n\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown version', `GET /clusters HTTP/1.9\r\n${HOST}\r\n\r\n`],
    ['an unknown protocol', `GET /clusters ICE/1.0\r\n${HOST}\r\n\r\n`],
    ['an unknown method', head('HACK', '/clusters')],
    ['a method in lower case', head('get', '/clusters')],
    ['a blank in the target', `GET /clus ters HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ['NUL in the target', head('GET', '/clu\0sters')],
    ['a tab in the target', head('GET', '/clu\tsters')],
    ['no target', `GET HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ['a target of 20 KB', head('GET', `/clusters/${'x'.repeat(20_000)}`)],
    ['a host as the target', head('GET', 'localhost:80')],
    ['CONNECT to a host', `${head('CONNECT', 'localhost:80')}${HIDDEN}`],
    ['CONNECT to a path', `${head('CONNECT', USERS)}${HIDDEN}`],
  ])('%s', async (_, bytes) => {
    await expectRefusal(bytes, [400, 408, 413, 421, 431]);
  });

  it.each([
    ['an asterisk', 'OPTIONS', '*', [404]],
    ['an asterisk of another method', 'GET', '*', [400, 404]],
    ['a URL of ours', 'GET', 'http://localhost/clusters', [200]],
    ['a URL of another host', 'GET', 'http://evil.example/clusters', [421]],
    ['a URL without a path', 'GET', 'http://localhost', [302, 404]],
    ['a URL of another scheme', 'GET', 'file:///etc/passwd', [404, 421]],
    ['a URL with a user', 'GET', 'http://localhost@evil.example/clusters', [421]],
    ['two slashes', 'GET', '//evil.example/clusters', [404]],
    ['a path upwards', 'GET', '/docs/../../../../etc/passwd', [404]],
    ['an encoded path upwards', 'GET', '/docs/%2e%2e/%2e%2e/package.json', [404]],
    ['encoded slashes', 'GET', '/docs/..%2f..%2fpackage.json', [404]],
    ['an encoded NUL', 'GET', '/docs/index.html%00', [400, 404]],
    ['a backslash', 'GET', '/docs/..\\..\\package.json', [400, 404]],
    ['a fragment', 'GET', '/clusters#x', [200, 400, 404]],
    ['an encoded question mark', 'GET', '/clusters%3Flimit=1', [404]],
    ['TRACE', 'TRACE', '/clusters', [405]],
    ['PROPFIND', 'PROPFIND', '/clusters', [405]],
  ])('%s', async (_, method, target, statuses) => {
    const { bytes } = await exchange(gateway.url, [head(method, target, 'Connection: close')]);
    const answers = answersIn(bytes, [method]);
    expect(answers).toHaveLength(1);
    expect(statuses).toContain(answers[0]?.status);
    if ((answers[0]?.status ?? 0) >= 400) expectProblem(answers[0], statuses);
    expect(bytes.toString('latin1')).not.toContain('root:');
  });
});

describe('an expectation', () => {
  it('100-continue of a body that is taken', async () => {
    const body = JSON.stringify({ username: 'expected', password: 'Passw0rd!' });
    const bytes = `${post('Expect: 100-continue', `Content-Length: ${body.length}`, 'Connection: close')}${body}`;
    const answers = answersIn((await exchange(gateway.url, [bytes])).bytes);
    expect(answers.map(({ status }) => status)).toEqual([100, 201]);
  });

  it.each([
    ['a status', '200-ok'],
    ['a word', 'nothing'],
    ['a long one', '1'.repeat(1_000)],
  ])('that nobody can meet is a problem: %s', async (_, expectation) => {
    const { bytes } = await exchange(gateway.url, [
      `${post(`Expect: ${expectation}`, `Content-Length: ${HIDDEN.length}`)}${HIDDEN}`,
    ]);
    const answers = answersIn(bytes).filter(({ status }) => status >= 200);
    expect(answers).toHaveLength(1);
    expectProblem(answers[0], [400]);
    expect(jsonOf(answers[0] as WireAnswer)).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/header/Expect' }] });
  });
});

describe('an upgrade is not made', () => {
  const lines = ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'];
  it.each(['h2c', 'websocket', 'TLS/1.0'])('to %s: the request is served, and the connection ends', async (protocol) => {
    const bytes = `${head('GET', '/healthz', `Upgrade: ${protocol}`, ...lines)}${head('GET', '/healthz')}`;
    const { bytes: got, isSilent } = await exchange(gateway.url, [bytes]);
    const answers = answersIn(got);
    expect([isSilent, answers.map(({ status }) => status)]).toEqual([false, [200]]);
    expect(valuesOf(answers[0] as WireAnswer, 'connection')).toEqual(['close']);
  });

  it('and what comes later is no request of its own', async () => {
    // A proxy that reuses the connection sends a body; its second half looks like a request.
    const first = `${head('GET', USERS, 'Upgrade: h2c', ...lines)}POST /nowhere HTTP/1.1\r\n`;
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.write(first, resolve));
    const got: Buffer[] = [];
    const answered = once(socket, 'data');
    socket.on('data', (chunk) => got.push(chunk));
    setImmediate(() => socket.write(HIDDEN));
    await answered;
    socket.write(HIDDEN);
    await closed;
    expect(answersIn(Buffer.concat(got)).map(({ status }) => status)).toEqual([200]);
  });
});

/** The body of a request that is refused before it is read is no request. */
describe('a request hidden in a body that nobody reads', () => {
  const body = (...lines: readonly string[]): readonly (readonly [string, string])[] => [
    ['with a length', `${[...lines, `Content-Length: ${HIDDEN.length}`].join('\r\n')}\r\n\r\n${HIDDEN}`],
    ['in a chunk', `${[...lines, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${asChunk(HIDDEN)}0\r\n\r\n`],
  ];
  it.each(
    [
      ['of a read', `GET /clusters HTTP/1.1\r\n${HOST}`, 400],
      ['of HEAD', `HEAD /clusters HTTP/1.1\r\n${HOST}`, 400],
      ['of a delete', `DELETE ${USERS}/nobody HTTP/1.1\r\n${HOST}`, 400],
      ['of an unknown path', `POST /nowhere HTTP/1.1\r\n${HOST}`, 404],
      ['of a method that is not there', `PUT /clusters HTTP/1.1\r\n${HOST}`, 405],
      ['of another host', `POST ${USERS} HTTP/1.1\r\nHost: evil.example`, 421],
      ['of another origin', `POST ${USERS} HTTP/1.1\r\n${HOST}\r\nOrigin: http://evil.example`, 403],
      ['of another type', `POST ${USERS} HTTP/1.1\r\n${HOST}\r\nContent-Type: text/plain`, 415],
      ['in another encoding', `POST ${USERS} HTTP/1.1\r\n${HOST}\r\n${JSON_TYPE}\r\nContent-Encoding: x`, 415],
      ['of a page', `POST /docs/ HTTP/1.1\r\n${HOST}`, 404],
    ].flatMap(([name, lines, status]) => body(String(lines)).map(([how, bytes]) => [name, how, bytes, Number(status)] as const)),
  )('%s, %s', async (_name, _how, bytes, status) => {
    const again = head('GET', '/healthz', 'Connection: close');
    const { bytes: got } = await exchange(gateway.url, [`${bytes}${again}`]);
    const answers = answersIn(got, bytes.startsWith('HEAD') ? ['HEAD', 'GET'] : []);
    expect(answers[0]?.status).toBe(status);
    if (!bytes.startsWith('HEAD')) expectProblem(answers[0], [status]);
    // The next request on the connection is served, or the connection is closed; there is no third one.
    expect(answers.slice(1).map((answer) => answer.status)).toEqual(answers.length === 1 ? [] : [200]);
  });
});

it('requests behind one that is refused are not served', async () => {
  const { bytes } = await exchange(gateway.url, [`${head('GET', '/clusters', 'X : y')}${HIDDEN}${HIDDEN}`]);
  expect(answersIn(bytes)).toHaveLength(1);
});
