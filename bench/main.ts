/** `npm run bench` runs all; `npm run bench -- listing` one. */
import { batch } from './batch.js';
import { clusters } from './clusters.js';
import { isolation } from './isolation.js';
import { listing } from './listing.js';
import { oneUser } from './one-user.js';
import { overhead } from './overhead.js';
import { speed } from './speed.js';
import { stream } from './stream.js';
import { waiters } from './waiters.js';
import { walk } from './walk.js';
import { writes } from './writes.js';

const BENCHMARKS: Readonly<Record<string, () => Promise<string>>> = {
  speed,
  walk,
  'one-user': oneUser,
  stream,
  clusters,
  isolation,
  listing,
  overhead,
  batch,
  writes,
  waiters,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}.`);
  process.exit(1);
}
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (asked.length === 0 || asked.includes(name)) console.log(`${await run()}\n`);
}
