/** Run by `writes.ts` in a process of its own: creates at the memory adapter, so that only the gateway and its store are measured. */
import { serve } from './serve.js';

const [store = '{}', count = '200', atOnce = '50'] = process.argv.slice(2);
const TICK_MS = 20;

const { url, gateway } = await serve({
  store: JSON.parse(store),
  accounts: { a: { vendor: 'memory', clusters: { c: { users: [] } } } },
  clusters: [{ id: 'c', account: 'a', vendorClusterId: 'c' }],
});

const create = async (name: string): Promise<void> => {
  const answer = await fetch(`${url}/clusters/c/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password: 'Choose@Your0wn' }),
  });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
};

await create('first');
const parent = process.send?.bind(process);
parent?.({ ready: true });
let longest = 0;
let last = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
}, TICK_MS);
const since = performance.now();
const cpu = process.cpuUsage();
let next = 0;
const worker = async (): Promise<void> => {
  while (next < Number(count)) await create(`user${next++}`);
};
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
const ms = performance.now() - since;
const { user, system } = process.cpuUsage(cpu);
clearInterval(timer);
parent?.({ ms, longest, cpuMs: (user + system) / 1_000 });
await gateway.stop();
