/** What the functions that hey-api generates look like in use. Run it with the URL of the demo. */
import { client } from '../generated/hey-api/api/client.gen.js';
import { getUser, listUsers } from '../generated/hey-api/api/sdk.gen.js';
import { CLUSTERS, expect, runSteps } from './scenario.js';

client.setConfig({ baseUrl: process.argv[2] ?? '' });

const page = async (clusterId: string, cursor?: string) => {
  const { data } = await listUsers({ path: { clusterId }, query: { limit: 40, cursor }, throwOnError: true });
  // A string where NDJSON or CSV was asked for.
  if (typeof data === 'string') throw new Error('no page');
  return data;
};

const list = async () => {
  for (const cluster of CLUSTERS) {
    let window = await page(cluster);
    let count = window.items.length;
    while (window.nextCursor !== null) {
      window = await page(cluster, window.nextCursor);
      count += window.items.length;
    }
    expect('users on all pages', count, window.total);
  }
};

const get = async () => {
  for (const clusterId of CLUSTERS) {
    const [first] = (await page(clusterId)).items;
    const answer = await getUser({ path: { clusterId, username: first?.username ?? '' } });
    expect('the user', answer.data, first);
  }
};

const problems = async () => {
  for (const clusterId of CLUSTERS) {
    const { error, response } = await getUser({ path: { clusterId, username: 'tsnobody' } });
    expect('the problem', [response?.status, error?.code], [404, 'user_not_found']);
  }
};

await runSteps({ list, get, problems });
