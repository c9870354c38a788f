/** Fastify and undici, bare. */
import fastify from 'fastify';
import { Pool } from 'undici';
import { signedUrl, toPage, type VendorPage } from './rpc.js';

const endpoint = process.env['VENDOR'] as string;
const pool = new Pool(endpoint, { connections: 64 });

const app = fastify();
app.get<{ Querystring: { limit: string } }>('/clusters/:id/users', async (request) => {
  const path = signedUrl('', 1, Number(request.query.limit));
  const { body } = await pool.request({ method: 'GET', path });
  return toPage((await body.json()) as VendorPage);
});
console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
