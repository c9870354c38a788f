/** Loaded into the gateway's process: reports its heap after a collection, and the longest gap of its event loop since the last report. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';

const RESOLUTION_MS = 5;
const COLLECTIONS = 3;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();

process.on('message', async () => {
  const gapMs = delay.max / 1e6;
  for (let times = 0; times < COLLECTIONS; times++) {
    globalThis.gc();
    await turn();
  }
  process.send({ gapMs, heapBytes: process.memoryUsage().heapUsed });
  delay.reset();
});
