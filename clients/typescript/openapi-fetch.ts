/** What a TypeScript program does with openapi-fetch and the types of openapi-typescript. Run it with the URL of the demo. */
import { randomUUID } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from '../generated/openapi-fetch/openapi.js';
import { CLUSTERS, expect, PASSWORD, runSteps } from './scenario.js';

type Schemas = components['schemas'];

/** A list can be asked for as text too; these are the answers that this program asks for. */
type Media = 'application/json' | 'application/problem+json';

const client = createClient<paths, Media>({ baseUrl: process.argv[2] ?? '' });

/** The answer of a call that has to go well. */
const data = <T>(answer: { data?: T; error?: unknown; response: Response }): T => {
  if (answer.data === undefined) throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
};
const refused = (
  what: string,
  answer: { error?: Schemas['Problem']; response: Response },
  status: number,
  code: string,
): void => {
  expect(what, [answer.response.status, answer.error?.status, answer.error?.code], [status, status, code]);
};

const page = async (clusterId: string, cursor?: string) =>
  data(await client.GET('/clusters/{clusterId}/users', { params: { path: { clusterId }, query: { limit: 40, cursor } } }));
const getUser = (clusterId: string, username: string) =>
  client.GET('/clusters/{clusterId}/users/{username}', { params: { path: { clusterId, username } } });
const createUser = (clusterId: string, username: string, key?: string) =>
  client.POST('/clusters/{clusterId}/users', {
    params: { path: { clusterId }, header: { 'Idempotency-Key': key } },
    body: { username, password: PASSWORD },
  });
const creations = (...usernames: string[]) => ({
  items: usernames.map((username) => ({ op: 'create' as const, username, password: PASSWORD })),
});

const list = async () => {
  for (const cluster of CLUSTERS) {
    let window = await page(cluster);
    const all = [...window.items];
    while (window.nextCursor !== null) {
      window = await page(cluster, window.nextCursor);
      all.push(...window.items);
    }
    expect('users on all pages', all.length, window.total);
  }
};

const get = async () => {
  for (const cluster of CLUSTERS) {
    const [first] = (await page(cluster)).items;
    expect('the user', data(await getUser(cluster, first?.username ?? '')), first);
  }
};

const create = async () => {
  for (const cluster of CLUSTERS) {
    const user = data(await createUser(cluster, 'tshpc1'));
    // The other answers come to those who ask for them; this narrows the type.
    if (!('username' in user)) throw new Error('no user');
    expect('the new user', [user.clusterId, user.username], [cluster, 'tshpc1']);
  }
};

const problems = async () => {
  for (const cluster of CLUSTERS) {
    refused('a name that is taken', await createUser(cluster, 'tshpc1'), 409, 'user_already_exists');
    refused('a bad name', await createUser(cluster, 'not a name'), 422, 'invalid_user');
    refused('an unknown user', await getUser(cluster, 'tsnobody'), 404, 'user_not_found');
  }
};

const batch = async () => {
  for (const clusterId of CLUSTERS) {
    const body = creations('tshpc2', 'not a name');
    const result = data(await client.POST('/clusters/{clusterId}/users/batch', { params: { path: { clusterId } }, body }));
    if (!('dryRun' in result)) throw new Error('no results');
    const statuses = result.results.map((item) => item.status);
    expect('the results', statuses, ['created', 'refused']);
    expect('the refusal', result.results[1]?.problem?.code, 'invalid_user');
  }
};

const operation = async () => {
  for (const clusterId of CLUSTERS) {
    const body = creations('tshpc3');
    let state = data(await client.POST('/clusters/{clusterId}/operations', { params: { path: { clusterId } }, body }));
    while (!state.done) {
      const params = { path: { operationId: state.id }, header: { Prefer: 'wait=5' } };
      state = data(await client.GET('/operations/{operationId}', { params }));
    }
    expect('the state', state.state, 'succeeded');
    expect('the result', state.results[0]?.status, 'created');
  }
};

const repeat = async () => {
  for (const cluster of CLUSTERS) {
    const key = randomUUID();
    const once = await createUser(cluster, 'tshpc4', key);
    const again = await createUser(cluster, 'tshpc4', key);
    expect('the repeated answer', data(again), data(once));
    expect('the mark of the first answer', once.response.headers.get('idempotency-replayed'), null);
    expect('the mark of the repeated one', again.response.headers.get('idempotency-replayed'), 'true');
  }
};

const remove = async () => {
  for (const clusterId of CLUSTERS) {
    for (const username of ['tshpc1', 'tshpc2', 'tshpc3', 'tshpc4']) {
      const params = { path: { clusterId, username } };
      const { response } = await client.DELETE('/clusters/{clusterId}/users/{username}', { params });
      expect('the answer to a deletion', response.status, 204);
    }
  }
};

await runSteps({ list, get, create, problems, batch, operation, repeat, delete: remove });
