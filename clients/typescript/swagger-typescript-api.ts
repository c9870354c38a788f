/** What the class that swagger-typescript-api generates looks like in use. Run it with the URL of the demo. */
import { Api, type HttpResponse, type Problem } from '../generated/swagger-typescript-api/api.js';
import { CLUSTERS, expect, runSteps } from './scenario.js';

const api = new Api({ baseUrl: process.argv[2] });

const page = async (cluster: string, cursor?: string) => (await api.clusters.listUsers(cluster, { limit: 40, cursor })).data;

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
    expect('the user', (await api.clusters.getUser(cluster, first?.username ?? '')).data, first);
  }
};

const problems = async () => {
  for (const cluster of CLUSTERS) {
    const answer = await api.clusters.getUser(cluster, 'tsnobody').catch((reason: HttpResponse<unknown, Problem>) => reason);
    expect('the problem', [answer.status, answer.error?.code], [404, 'user_not_found']);
  }
};

await runSteps({ list, get, problems });
