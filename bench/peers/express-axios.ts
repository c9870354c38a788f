/** Express and axios, bare: sign, call, map, answer. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import axios from 'axios';
import express from 'express';
import { signedUrl, toPage, type VendorPage } from './rpc.js';

const endpoint = process.env['VENDOR'] as string;
const client = axios.create({ httpAgent: new http.Agent({ keepAlive: true }), proxy: false });

const app = express();
app.get('/clusters/:id/users', async (request, response) => {
  const { data } = await client.get<VendorPage>(signedUrl(endpoint, 1, Number(request.query['limit'])));
  response.json(toPage(data));
});
const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
