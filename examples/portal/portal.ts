/** A small portal: the users of a cluster on a page, and a form that creates one. The gateway's key stays on this server. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient, GatewayProblem } from '@hpc-gateway/client';

const { HPC_GATEWAY_URL: url, HPC_GATEWAY_KEY: key, PORT = '3000' } = process.env;
const gateway = createClient({ url: url || 'http://127.0.0.1:8080', key: key || undefined });
const MAX_FORM_BYTES = 4_096;
const SHOWN = 50;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const page = async (clusterId: string | undefined, search: string, message: string): Promise<string> => {
  const { items: clusters } = await gateway.clusters();
  const chosen = clusters.find(({ id }) => id === clusterId) ?? clusters[0];
  if (!chosen) return '<p>The gateway serves no clusters.</p>';
  const users = [];
  for await (const user of gateway.users(chosen.id, { limit: SHOWN, ...(search && { search }) })) {
    users.push(user);
    if (users.length === SHOWN) break;
  }
  const links = clusters.map(
    ({ id, vendor, state }) => `<a href="/?cluster=${encodeURIComponent(id)}">${escaped(id)}</a> (${escaped(vendor)}, ${state})`,
  );
  const rows = users.map(({ username, role, uid }) => `<tr><td>${escaped(username)}<td>${role}<td>${uid ?? ''}`);
  // A form that is sent twice creates one user: the key is made with the page.
  return `<!doctype html><meta charset="utf-8"><title>Users of ${escaped(chosen.id)}</title>
<p>${links.join(' · ')}</p><p>${escaped(message)}</p>
<form><input type="hidden" name="cluster" value="${escaped(chosen.id)}"><input name="search" value="${escaped(search)}"><button>Search</button></form>
<table>${rows.join('')}</table>
<form method="post"><input type="hidden" name="cluster" value="${escaped(chosen.id)}"><input type="hidden" name="key" value="${randomUUID()}">
<input name="username" placeholder="name: ${escaped(chosen.capabilities.username.description)}" required>
<input name="password" type="password" placeholder="${escaped(chosen.capabilities.password.description)}" required><button>Create</button></form>`;
};

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_FORM_BYTES) throw new Error('The form is too large.');
  }
  return new URLSearchParams(text);
};

const create = async (form: URLSearchParams): Promise<string> => {
  const [cluster = '', username = '', password = '', idempotencyKey = ''] = ['cluster', 'username', 'password', 'key'].map(
    (name) => form.get(name) ?? '',
  );
  await gateway.createUser(cluster, { username, password }, { idempotencyKey });
  return `${username} was created on ${cluster}.`;
};

const server = createServer(async (request, response) => {
  let message = '';
  try {
    const query = new URLSearchParams(request.url?.split('?')[1]);
    let cluster = query.get('cluster') ?? undefined;
    if (request.method === 'POST') {
      const form = await readForm(request);
      cluster = form.get('cluster') ?? undefined;
      // The words of the gateway are made for people.
      message = await create(form).catch((error: unknown) => {
        if (error instanceof GatewayProblem) return error.message;
        throw error;
      });
    }
    const html = await page(cluster, query.get('search') ?? '', message);
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; form-action 'self'",
    });
    response.end(html);
  } catch (error) {
    console.error(error);
    response.writeHead(502, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(error instanceof Error ? error.message : 'failed');
  }
});
server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`portal at http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
