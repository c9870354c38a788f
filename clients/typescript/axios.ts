/** What a TypeScript program does with axios and the types of openapi-typescript. Run it with the URL of the demo. */
import { randomUUID } from 'node:crypto';
import axios, { type AxiosResponse } from 'axios';
import type { components } from '../generated/axios/openapi.js';
import { CLUSTERS, expect, PASSWORD, runSteps } from './scenario.js';

type Schemas = components['schemas'];
type User = Schemas['User'];

const http = axios.create({ baseURL: process.argv[2] });

/** Makes a mistake, and compares the problem that it is answered with. */
const refused = async (what: string, call: Promise<unknown>, status: number, code: string): Promise<void> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!axios.isAxiosError<Schemas['Problem']>(error)) throw new Error(`${what} was not refused: ${error}`);
  const problem = error.response?.data;
  expect(what, [error.response?.status, problem?.status, problem?.code], [status, status, code]);
};

const usersOf = (cluster: string) => `/clusters/${cluster}/users`;
const page = async (cluster: string, cursor?: string): Promise<Schemas['UserPage']> =>
  (await http.get<Schemas['UserPage']>(usersOf(cluster), { params: { limit: 40, cursor } })).data;
const getUser = (cluster: string, username: string) => http.get<User>(`${usersOf(cluster)}/${username}`);
const createUser = (cluster: string, username: string, key?: string): Promise<AxiosResponse<User>> => {
  const body: Schemas['UserCreate'] = { username, password: PASSWORD };
  return http.post<User>(usersOf(cluster), body, { headers: key ? { 'Idempotency-Key': key } : {} });
};
const creations = (...usernames: string[]): Schemas['OperationRequest'] => ({
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
    expect('the user', (await getUser(cluster, first?.username ?? '')).data, first);
  }
};

const create = async () => {
  for (const cluster of CLUSTERS) {
    const { data: user } = await createUser(cluster, 'axhpc1');
    expect('the new user', [user.clusterId, user.username], [cluster, 'axhpc1']);
  }
};

const problems = async () => {
  for (const cluster of CLUSTERS) {
    await refused('a name that is taken', createUser(cluster, 'axhpc1'), 409, 'user_already_exists');
    await refused('a bad name', createUser(cluster, 'not a name'), 422, 'invalid_user');
    await refused('an unknown user', getUser(cluster, 'axnobody'), 404, 'user_not_found');
  }
};

const batch = async () => {
  for (const cluster of CLUSTERS) {
    const answer = await http.post<Schemas['BatchResult']>(`${usersOf(cluster)}/batch`, creations('axhpc2', 'not a name'));
    const statuses = answer.data.results.map((item) => item.status);
    expect('the results', statuses, ['created', 'refused']);
    expect('the refusal', answer.data.results[1]?.problem?.code, 'invalid_user');
  }
};

const operation = async () => {
  for (const cluster of CLUSTERS) {
    let { data: state } = await http.post<Schemas['Operation']>(`/clusters/${cluster}/operations`, creations('axhpc3'));
    while (!state.done) {
      const headers = { Prefer: 'wait=5' };
      state = (await http.get<Schemas['Operation']>(`/operations/${state.id}`, { headers })).data;
    }
    expect('the state', state.state, 'succeeded');
    expect('the result', state.results[0]?.status, 'created');
  }
};

const repeat = async () => {
  for (const cluster of CLUSTERS) {
    const key = randomUUID();
    const once = await createUser(cluster, 'axhpc4', key);
    const again = await createUser(cluster, 'axhpc4', key);
    expect('the repeated answer', again.data, once.data);
    expect('the mark of the first answer', once.headers['idempotency-replayed'], undefined);
    expect('the mark of the repeated one', again.headers['idempotency-replayed'], 'true');
  }
};

const remove = async () => {
  for (const cluster of CLUSTERS) {
    for (const username of ['axhpc1', 'axhpc2', 'axhpc3', 'axhpc4']) {
      const { status } = await http.delete(`${usersOf(cluster)}/${username}`);
      expect('the answer to a deletion', status, 204);
    }
  }
};

await runSteps({ list, get, create, problems, batch, operation, repeat, delete: remove });
