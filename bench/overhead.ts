/** What the gateway costs by itself: 50 users from the memory adapter, against a bare Express that sends the same bytes. */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { compare, table } from './measure.js';
import { serve } from './serve.js';

const REQUESTS = 500;
const CONCURRENCY = 16;

const load = async (url: string): Promise<void> => {
  let left = REQUESTS;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await (await fetch(url)).arrayBuffer();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
};

export const overhead = async (): Promise<string> => {
  const users = Array.from({ length: 1000 }, (_, index) => ({ username: `user${index}` }));
  const { url, gateway } = await serve({
    accounts: { a: { vendor: 'memory', clusters: { c: { users } } } },
    clusters: [{ id: 'c', account: 'a', vendorClusterId: 'c' }],
  });
  const path = '/clusters/c/users?limit=50';
  const body = await (await fetch(`${url}${path}`)).text();
  const bare = express()
    .get('/clusters/:id/users', (_, response) => void response.type('json').send(body))
    .listen(0, '127.0.0.1');
  await new Promise((resolve) => bare.once('listening', resolve));
  const bareUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}`;

  const before = process.memoryUsage.rss();
  const times = await compare(
    [
      { name: 'gateway', run: () => load(`${url}${path}`) },
      { name: 'bare Express', run: () => load(`${bareUrl}${path}`) },
    ],
    7,
  );
  const grown = (process.memoryUsage.rss() - before) / 1024 / 1024;
  await gateway.stop();
  bare.closeAllConnections();
  bare.close();

  const [[, ours = 1] = [], [, theirs = 1] = []] = [...times];
  return [
    `overhead: ${REQUESTS} requests by ${CONCURRENCY} at a time, ${body.length} bytes each, client in the same process`,
    table([['', 'median requests/s'], ...[...times].map(([name, ms]) => [name, ((REQUESTS / ms) * 1000).toFixed(0)])]),
    `the gateway takes ${(ours / theirs).toFixed(2)} times as long; resident memory grew by ${grown.toFixed(0)} MiB in all rounds`,
  ].join('\n');
};
