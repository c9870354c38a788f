/** One method per operation of Shanhe HPC: parameters of reads in the query, of writes in a JSON body. */
import type { AdapterContext, Call } from '../../src/adapter.js';
import type { Params } from '../../src/encoding.js';
import type { Page, PageOf } from '../../src/paging.js';
import type { Secret } from '../../src/secret.js';
import { badResponse, count, isObject, type JsonObject, rowsOf, text } from '../../src/wire.js';
import type { ShanheConfig } from './config.js';
import { readAnswer, userOrCluster } from './errors.js';
import { sign } from './signer.js';
import type { HpcCluster, HpcJob, HpcUser, WritableUser } from './types.js';

const paging = ({ start, size }: Page): Params => ({ limit: String(size), offset: String(start) });

/** The vendor's pages spell the same key in more than one way. */
const listOf = (answer: JsonObject, ...keys: readonly string[]): readonly (JsonObject | null)[] => {
  const key = keys.find((name) => answer[name] !== undefined && answer[name] !== null);
  const list = key === undefined ? null : rowsOf(answer[key]);
  if (list === null) throw badResponse(`no list ${keys.join(' or ')}`);
  return list;
};

const isUser = (value: unknown): boolean => isObject(value) && ('username' in value || 'hpcuser_id' in value);

/** Under one of its two names, or whatever array holds users; none at all means no users when the total says so. */
const usersOf = (answer: JsonObject): readonly (JsonObject | null)[] => {
  const named = answer['users_set'] ?? answer['user_set'];
  const found = named ?? Object.values(answer).find((value) => Array.isArray(value) && value.length > 0 && value.every(isUser));
  return found === undefined && totalOf(answer) === 0 ? [] : listOf({ users_set: found }, 'users_set');
};

const totalOf = (answer: JsonObject): number | null => count(answer['total_count']) ?? count(answer['total_sum']);

const jobOf = (answer: JsonObject): string => {
  const ids = answer['job_ids'];
  const job = text(answer['job_id']) ?? text(Array.isArray(ids) ? ids[0] : ids);
  if (job === null) throw badResponse('no job_id');
  return job;
};

const jobsOf = ({ job_set: jobs }: JsonObject): readonly (JsonObject | null)[] =>
  isObject(jobs) && Object.keys(jobs).length === 0 ? [] : listOf({ job_set: jobs }, 'job_set');

export const createClient = ({ config, http, now }: AdapterContext<ShanheConfig>) => {
  const endpoint = config.endpoint.replace(/\/+$/, '');
  const { credentials, zone } = config;

  const read = (path: string, query: Params, call: Call) =>
    http.send(
      () => sign({ method: 'GET', endpoint, path, query: { zone, ...query } }, credentials, now()),
      (response) => readAnswer(response, now()),
      { kind: 'read', action: path, cluster: query['cluster_id'], call },
    );

  /** `zone` is in the query, where it is signed, and in the body, as in every example of the vendor. */
  const write = (path: string, params: Readonly<Record<string, string | undefined>>, call: Call) => {
    const body = JSON.stringify({ ...params, zone });
    return http.send(
      () => sign({ method: 'POST', endpoint, path, query: { zone }, body }, credentials, now()),
      (response) => readAnswer(response, now()),
      { kind: 'write', action: path, cluster: params['cluster_id'], call },
    );
  };

  return {
    /** https://docsv3.qingcloud.com/compute/hpc/api/cluster/listcluster/ */
    listClusters: async (filter: { clusterId?: string }, page: Page, call: Call): Promise<PageOf<HpcCluster>> => {
      const answer = await read(
        '/cluster/list',
        {
          ...paging(page),
          ...(config.owner && { owner: config.owner }),
          ...(filter.clusterId && { cluster_id: filter.clusterId }),
        },
        call,
      );
      return { rows: listOf(answer, 'cluster_set', 'clusters_set'), total: totalOf(answer) };
    },

    /** https://docsv4embed.qingcloud.com/user_guide/compute/hpc/api/users/users */
    listUsers: async (clusterId: string, page: Page, search: string | undefined, call: Call): Promise<PageOf<HpcUser>> => {
      const query = { cluster_id: clusterId, ...paging(page), ...(search !== undefined && { search_word: search }) };
      const answer = await read('/user', query, call);
      return { rows: usersOf(answer), total: totalOf(answer) };
    },

    /** https://docsv4.qingcloud.com/user_guide/development_docs/api/command_list/hpc/add_user/ */
    addUser: async (clusterId: string, { password, ...user }: WritableUser, call: Call): Promise<string> =>
      jobOf(await write('/user/addUser', { cluster_id: clusterId, ...user, password: password.unwrap() }, call)),

    /** yunify/qingcloud-docs: content/compute/hpc/api/users/deleteuser.md */
    deleteUser: async (clusterId: string, username: string, call: Call): Promise<string> =>
      jobOf(await write('/user/deleteUser', { cluster_id: clusterId, username }, call).catch(userOrCluster)),

    /** Sets the password; nothing else of a user can be changed. https://docsv3.qingcloud.com/compute/hpc/api/users/modifyuser/ */
    modifyUser: async (clusterId: string, username: string, newPassword: Secret, call: Call): Promise<void> => {
      const params = { cluster_id: clusterId, username, new_password: newPassword.unwrap() };
      await write('/user/modifyUser', params, call).catch(userOrCluster);
    },

    /**
     * One job, or undefined when the vendor does not list it. Filters again: which of two parameter names the vendor heeds is not
     * documented. https://docsv3.qingcloud.com/compute/hpc/api/logs/operation
     */
    getJob: async (job: string, call: Call): Promise<HpcJob | undefined> =>
      jobsOf(await read('/operation', { job_ids: job, limit: '100', offset: '0', reverse: '1' }, call)).find(
        (item) => item !== null && text(item['job_id']) === job,
      ) ?? undefined,

    /** Jobs of the account, the newest first. How several ids are written in `job_ids` is not documented. */
    listJobs: async (page: Page, call: Call): Promise<readonly (HpcJob | null)[]> =>
      jobsOf(await read('/operation', { ...paging(page), reverse: '1' }, call)),
  };
};

export type ShanheClient = ReturnType<typeof createClient>;
