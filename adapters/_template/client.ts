/** One method per operation of Example HPC. */
import type { AdapterContext, Call } from '../../src/adapter.js';
import type { Params } from '../../src/encoding.js';
import type { Page, PageOf } from '../../src/paging.js';
import { badResponse, count, isObject, type JsonObject, rowsOf } from '../../src/wire.js';
import type { Config } from './config.js';
import { readAnswer } from './errors.js';
import { sign } from './signer.js';
import type { ClusterRow, UserRow, WritableUser } from './types.js';

/** Pages are counted from 1. */
const paging = ({ start, size }: Page): Params => ({ page: String(start / size + 1), size: String(size) });

const pageOf = (answer: JsonObject): PageOf<JsonObject> => {
  const rows = rowsOf(answer['items']);
  if (rows === null) throw badResponse('no list items');
  return { rows, total: count(answer['total']) };
};

/** A user as it is sent, with the password in the clear. */
const toFields = ({ password, ...user }: WritableUser) => ({ ...user, ...(password && { password: password.unwrap() }) });

export const createClient = ({ config, http, now, nonce }: AdapterContext<Config>) => {
  const { credentials } = config;
  const endpoint = config.endpoint.replace(/\/+$/, '');

  const read = (path: string, query: Params, call: Call): Promise<JsonObject> =>
    http.send(
      () => sign({ method: 'GET', endpoint, path, query }, credentials, now(), nonce()),
      (response) => readAnswer(response, now()),
      { kind: 'read', action: path, cluster: query['cluster'], call },
    );

  const write = async (path: string, cluster: string, users: readonly WritableUser[], call: Call) => {
    const body = JSON.stringify({ cluster, users: users.map(toFields) });
    await http.send(
      () => sign({ method: 'POST', endpoint, path, query: {}, body }, credentials, now(), nonce()),
      (response) => readAnswer(response, now()),
      { kind: 'write', action: path, cluster, call },
    );
  };

  // EDIT: the vendor's operations, its documentation page linked above each.
  return {
    listClusters: async (page: Page, call: Call): Promise<PageOf<ClusterRow>> =>
      pageOf(await read('/clusters', paging(page), call)),

    describeCluster: async (clusterId: string, call: Call): Promise<ClusterRow> => {
      const { cluster } = await read('/cluster', { cluster: clusterId }, call);
      if (!isObject(cluster)) throw badResponse('no cluster');
      return cluster;
    },

    listUsers: async (clusterId: string, page: Page, call: Call): Promise<PageOf<UserRow>> =>
      pageOf(await read('/users', { cluster: clusterId, ...paging(page) }, call)),

    addUsers: (clusterId: string, users: readonly WritableUser[], call: Call) => write('/users/add', clusterId, users, call),

    setPasswords: (clusterId: string, users: readonly WritableUser[], call: Call) =>
      write('/users/password', clusterId, users, call),

    removeUsers: (clusterId: string, users: readonly WritableUser[], call: Call) =>
      write('/users/remove', clusterId, users, call),
  };
};
