/** Express and the vendor's own client. */
import type { AddressInfo } from 'node:net';
import RPCClient from '@alicloud/pop-core';
import express from 'express';
import { toPage, type VendorPage } from './rpc.js';
import { CLUSTER, KEY, VERSION } from './vendor-key.js';

const client = new RPCClient({
  ...KEY,
  endpoint: process.env['VENDOR'] as string,
  apiVersion: VERSION,
  opts: { keepAlive: true },
});

const app = express();
app.get('/clusters/:id/users', async (request, response) => {
  const page = await client.request<VendorPage>('ListUsers', {
    ClusterId: CLUSTER,
    PageNumber: 1,
    PageSize: Number(request.query['limit']),
  });
  response.json(toPage(page));
});
const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
