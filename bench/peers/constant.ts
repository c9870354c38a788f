/** Express that answers the same bytes each time: what the gateway answers to the same request. */
import type { AddressInfo } from 'node:net';
import express from 'express';

const body = process.env['BODY'] as string;
const app = express();
app.get('/clusters/:id/users', (_, response) => {
  response.type('json').send(body);
});
const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
