/** Compressed bodies: unpacked to a bounded size, whatever they promise. */
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backendNamed, type LiveBackend } from '../support/backends.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

const MIB = 1_048_576;
const USERS = '/clusters/main/users';

let live: LiveBackend;
let gateway: TestGateway;
beforeAll(async () => {
  live = await backendNamed('memory').start();
  gateway = await startGateway(live.raw);
});
afterAll(async () => {
  await gateway.stop();
  await live.close();
});

describe.each([
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('a body in %s', (encoding, pack) => {
  const send = (raw: Buffer) =>
    gateway.request('POST', USERS, { raw, headers: { 'content-type': 'application/json', 'content-encoding': encoding } });
  /** A user, and blanks up to the size. */
  const bodyOf = (username: string, bytes: number): string =>
    JSON.stringify({ username, password: 'Choose@Your0wn' }).padEnd(bytes);

  it('is read as if it were plain, up to 1 MiB', async () => {
    const username = `packed.${encoding}`;
    expect((await send(pack(bodyOf(username, MIB)))).status).toBe(201);
    expect((await gateway.get(`${USERS}/${username}`)).body.username).toBe(username);
  });

  it('is refused where it becomes larger', async () => {
    const answer = await send(pack(bodyOf('never.made', MIB + 1)));
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
    expect((await send(pack(Buffer.alloc(64 * MIB)))).status).toBe(413);
  });

  it('is refused where it is not what it says', async () => {
    for (const raw of [Buffer.from('{}'), pack(bodyOf('never.made', 1_000)).subarray(0, 40)]) {
      const { status, body } = await send(raw);
      expect([status, body.detail]).toEqual([400, `The body is not valid ${encoding}.`]);
    }
  });
});

describe('a body in br', () => {
  const send = (bits: number) => {
    const raw = brotliCompressSync(JSON.stringify({ username: 'wide', password: 'Choose@Your0wn', role: 'none' }), {
      params: { [constants.BROTLI_PARAM_LGWIN]: bits },
    });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'br' };
    return gateway.request('POST', USERS, { raw, headers });
  };

  it.each([10, 16, 17, 18, 22])('may have a window of %i bits', async (bits) => {
    expect((await send(bits)).body.errors).toMatchObject([{ pointer: '/role' }]);
  });

  it.each([23, 24])('is refused with one of %i bits: it takes memory whatever the size of the body', async (bits) => {
    const { status, body } = await send(bits);
    expect([status, body.detail]).toEqual([400, expect.stringContaining('a window of more than 4 MiB')]);
  });
});
