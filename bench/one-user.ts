/** One user of 10,000, where the vendor has no look-up: from a list that is kept, and from the vendor, who takes 30 ms a call. */
import { startProgram } from './children.js';
import { median, table } from './measure.js';
import { startGateway } from './speed.js';

const USERS = 10_000;
const LATENCY_MS = 30;
const ROUNDS = 20;
/** In the middle of the list: neither of the first page nor of the last. */
const PATH = '/clusters/c/users/user.005025';

export const oneUser = async (): Promise<string> => {
  const vendor = await startProgram('./peers/vendor.js', { env: { USERS: String(USERS), LATENCY_MS: String(LATENCY_MS) } });
  const rows: string[][] = [];
  for (const [name, seconds] of [
    ['kept', 3_600],
    ['not kept', 0],
  ] as const) {
    const { program, headers } = await startGateway(vendor.url, seconds);
    // A search reads the whole list, which is kept.
    await (await fetch(`${program.url}/clusters/c/users?search=nobody`, { headers })).text();
    const times: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const from = performance.now();
      const response = await fetch(`${program.url}${PATH}`, { headers });
      await response.text();
      if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
      // The first one compiles what it needs.
      if (round > 0) times.push(performance.now() - from);
    }
    rows.push([name, median(times).toFixed(1)]);
    await program.stop();
  }
  await vendor.stop();
  return [
    `one-user: one of ${USERS} users, no native look-up, ${LATENCY_MS} ms a vendor call, medians of ${ROUNDS}`,
    table([['list', 'median ms'], ...rows]),
  ].join('\n');
};
