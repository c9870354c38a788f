/** 100,000 users as NDJSON: how far the memory of the gateway grows. */
import { peakMiB, residentMiB, startProgram } from './children.js';
import { table } from './measure.js';
import { startGateway } from './speed.js';

const USERS = 100_000;
const ROUNDS = 3;

export const stream = async (): Promise<string> => {
  const vendor = await startProgram('./peers/vendor.js', { env: { USERS: String(USERS) } });
  const { program, headers } = await startGateway(vendor.url, 0);
  const users = `${program.url}/clusters/c/users`;
  // It is warm: code is compiled, the heap has its size.
  for (let asked = 0; asked < 300; asked++) await (await fetch(`${users}?limit=100`, { headers })).arrayBuffer();
  const idle = residentMiB(program);
  const rows: string[][] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const from = performance.now();
    const response = await fetch(users, { headers: { ...headers, accept: 'application/x-ndjson' } });
    let bytes = 0;
    let lines = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      for (const byte of part) if (byte === 10) lines++;
    }
    if (lines !== USERS + 1) throw new Error(`${lines} lines`);
    rows.push([
      String(round),
      (bytes / 1_048_576).toFixed(1),
      ((performance.now() - from) / 1_000).toFixed(1),
      (peakMiB(program) - idle).toFixed(0),
    ]);
  }
  await Promise.all([program.stop(), vendor.stop()]);
  return [
    `stream: ${USERS} users as NDJSON; resident memory of the gateway before: ${idle.toFixed(0)} MiB`,
    table([['round', 'MiB sent', 'seconds', 'peak over idle, MiB'], ...rows]),
  ].join('\n');
};
