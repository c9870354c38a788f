/** What the functions that orval generates look like in use. Run it with the URL of the demo. */
import axios from 'axios';
import { getUser, listUsers, type Problem } from '../generated/orval/api.js';
import { CLUSTERS, expect, runSteps } from './scenario.js';

const page = async (cluster: string, cursor?: string) => {
  const data = await listUsers(cluster, { limit: 40, cursor });
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
  for (const cluster of CLUSTERS) {
    const [first] = (await page(cluster)).items;
    expect('the user', await getUser(cluster, first?.username ?? ''), first);
  }
};

const problems = async () => {
  for (const cluster of CLUSTERS) {
    const error = await getUser(cluster, 'tsnobody').catch((reason: unknown) => reason);
    if (!axios.isAxiosError<Problem>(error)) throw new Error(`An unknown user was not refused: ${error}`);
    expect('the problem', [error.status, error.response?.data.code], [404, 'user_not_found']);
  }
};

await runSteps({ list, get, problems });
