/** One method per action of E-HPC 2018-04-12. Passwords go in form bodies only. */
import type { AdapterContext, Call } from '../../src/adapter.js';
import type { Params } from '../../src/encoding.js';
import type { PageOf } from '../../src/paging.js';
import type { HttpResponse, SendOptions, SignedRequest } from '../../src/vendor/client.js';
import { count, isObject, type JsonObject, rowsOf, text } from '../../src/wire.js';
import { type EhpcConfig, endpointOf } from './config.js';
import { createCredentials, type LoadChain } from './credentials.js';
import { badShape, isCredentialRefusal, readAnswer } from './errors.js';
import { repeatList } from './mapping.js';
import { type RpcCall, signAcs3, signRpcV1 } from './signer.js';
import type { ClusterInfoSimple, UserInfo, WritableUser } from './types.js';

const VERSION = '2018-04-12';

/** A page of the vendor, counted from 1. */
export interface PageNumber {
  readonly page: number;
  readonly size: number;
}

export interface AsyncPage extends PageOf<UserInfo> {
  readonly asyncId: string | null;
  /** The vendor documents `Success` only; `ListTasks` knows Processing, Failed and PartialFail too. */
  readonly asyncStatus: string | null;
}

const paging = ({ page, size }: PageNumber): Params => ({ PageNumber: String(page), PageSize: String(size) });

/** A user as it is sent, with the password in the clear. */
const toFields = ({ Password, ...user }: WritableUser): Params => ({ ...user, ...(Password && { Password: Password.unwrap() }) });

/** One row alone, which `key` shows, is a list of one, as XML becomes JSON; a list that is left out is empty. */
const listOf = (value: unknown, key: string): readonly (JsonObject | null)[] | null => {
  if (!isObject(value)) return rowsOf(value ?? []);
  if (Object.keys(value).length === 0) return [];
  return key in value ? [value] : null;
};

/** `Users.UserInfo` as documented, and the shapes that other pages of the documentation show. */
const readUsers = (answer: JsonObject): PageOf<UserInfo> => {
  const users = answer['Users'];
  const rows = isObject(users) && 'UserInfo' in users ? listOf(users['UserInfo'], 'Name') : listOf(users, 'Name');
  if (rows === null) throw badShape(answer, 'Users is no list of users');
  const total = count(answer['TotalCount']);
  // An empty list may hold one row that is empty, as XML becomes JSON.
  const isEmpty = !total && rows.every((row) => row !== null && Object.keys(row).length === 0);
  return { rows: isEmpty ? [] : rows, total, size: count(answer['PageSize']) };
};

const requestIdOf = (answer: JsonObject): string | null => text(answer['RequestId']);

/** @param load of the vendor's credential chain */
export const createClient = (context: AdapterContext<EhpcConfig>, load?: LoadChain) => {
  const { config, http, now, nonce } = context;
  const credentials = createCredentials(context, load);
  const endpoint = endpointOf(config);
  const sign = config.signature === 'acs3' ? signAcs3 : signRpcV1;

  const send = (
    rpc: Omit<RpcCall, 'endpoint' | 'version'>,
    kind: SendOptions['kind'],
    cluster: string | undefined,
    call: Call,
  ) => {
    const build = async (): Promise<SignedRequest> => {
      const current = await credentials.current(call.signal);
      return sign({ ...rpc, endpoint, version: VERSION }, { credentials: current, date: now(), nonce: nonce() });
    };
    const read = (response: HttpResponse): JsonObject => {
      try {
        return readAnswer(response, now());
      } catch (error) {
        if (isCredentialRefusal(error)) credentials.reject();
        throw error;
      }
    };
    return http.send(build, read, { kind, action: rpc.action, cluster, call }, requestIdOf);
  };

  const read = (action: string, query: Params, call: Call) =>
    send({ method: 'GET', action, query }, 'read', query['ClusterId'], call);

  /** @returns the vendor's name of the request */
  const write = async (action: string, clusterId: string, users: readonly WritableUser[], call: Call): Promise<string | null> => {
    const form = { ClusterId: clusterId, Async: 'false', ...repeatList(users.map(toFields)) };
    return requestIdOf(await send({ method: 'POST', action, query: {}, form }, 'write', clusterId, call));
  };

  return {
    /** http://help.aliyun.com/document_detail/87116.htm */
    listClusters: async (page: PageNumber, call: Call): Promise<PageOf<ClusterInfoSimple>> => {
      const answer = await read('ListClusters', paging(page), call);
      const { Clusters: clusters } = answer;
      const rows = listOf(isObject(clusters) ? clusters['ClusterInfoSimple'] : clusters, 'Id');
      if (rows === null) throw badShape(answer, 'Clusters is no list of clusters');
      return { rows, total: count(answer['TotalCount']), size: count(answer['PageSize']) };
    },

    /** https://alibabacloud.com/help/en/doc-detail/87126.html */
    describeCluster: async (clusterId: string, call: Call): Promise<ClusterInfoSimple> => {
      const answer = await read('DescribeCluster', { ClusterId: clusterId }, call);
      const { ClusterInfo: info } = answer;
      if (!isObject(info)) throw badShape(answer, 'no ClusterInfo');
      return info;
    },

    /** https://www.alibabacloud.com/help/doc-detail/188572.htm */
    listUsers: async (clusterId: string, page: PageNumber, call: Call): Promise<PageOf<UserInfo>> =>
      readUsers(await read('ListUsers', { ClusterId: clusterId, ...paging(page) }, call)),

    /** https://www.alibabacloud.com/help/en/e-hpc/developer-reference/api-ehpc-2018-04-12-listusersasync */
    listUsersAsync: async (clusterId: string, page: PageNumber, asyncId: string | null, call: Call): Promise<AsyncPage> => {
      const id: Params = asyncId === null ? {} : { AsyncId: asyncId };
      const answer = await read('ListUsersAsync', { ClusterId: clusterId, ...paging(page), ...id }, call);
      return { ...readUsers(answer), asyncId: text(answer['AsyncId']) ?? asyncId, asyncStatus: text(answer['AsyncStatus']) };
    },

    /** https://help.aliyun.com/zh/e-hpc/e-hpc-1-0/developer-reference/api-ehpc-2018-04-12-addusers */
    addUsers: (clusterId: string, users: readonly WritableUser[], call: Call) => write('AddUsers', clusterId, users, call),

    /** https://www.alibabacloud.com/help/doc-detail/188575.htm */
    deleteUsers: (clusterId: string, users: readonly WritableUser[], call: Call) => write('DeleteUsers', clusterId, users, call),

    /** https://help.aliyun.com/document_detail/87186.htm */
    modifyUserGroups: (clusterId: string, users: readonly WritableUser[], call: Call) =>
      write('ModifyUserGroups', clusterId, users, call),

    /** https://help.aliyun.com/document_detail/87191.html */
    modifyUserPasswords: (clusterId: string, users: readonly WritableUser[], call: Call) =>
      write('ModifyUserPasswords', clusterId, users, call),
  };
};

export type EhpcClient = ReturnType<typeof createClient>;
