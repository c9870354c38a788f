import type { Fault } from '../kit/index.js';
import { listClusters } from './clusters.js';
import { listOperations } from './jobs.js';
import type { ShanheCall } from './urls.js';
import { addUser, deleteUser, listUsers, modifyUser, type UserTools } from './users.js';

type Fields = Readonly<Record<string, unknown>>;

export interface Action {
  readonly method: 'GET' | 'POST';
  /** `action` of the answer (1.4). */
  readonly name: string;
  run(call: ShanheCall, fault: Fault | null): Fields;
}

const WRONG_NAME = 'HpcClusterListClusterResponse';

/** Path under `/api` → method and handler. */
export const createActions = (tools: UserTools, owner: string | undefined): Record<string, Action> => {
  const { jobs, quirks } = tools;
  const userAction = (name: string) => (quirks.actionName === 'specific' ? name : WRONG_NAME);
  const total = (count: number): Fields => (quirks.totalCount === 'missing' ? {} : { [quirks.totalCount]: count });
  return {
    '/user': {
      method: 'GET',
      name: userAction('HpcUserListUsersResponse'),
      run: (call, fault) => {
        const { total: count, rows } = listUsers(call, fault, tools);
        return { ...total(count), [quirks.usersKey]: rows };
      },
    },
    '/user/addUser': {
      method: 'POST',
      name: userAction('HpcUserAddUserResponse'),
      run: (call, fault) => ({ job_id: addUser(call, fault, tools) }),
    },
    '/user/deleteUser': {
      method: 'POST',
      name: userAction('HpcUserDeleteUserResponse'),
      run: (call, fault) => ({ job_id: deleteUser(call, fault, tools) }),
    },
    '/user/modifyUser': {
      method: 'POST',
      name: userAction('HpcUserModifyUserResponse'),
      run: (call) => {
        modifyUser(call, tools);
        return {};
      },
    },
    '/operation': {
      method: 'GET',
      name: 'HpcOperationListOperationResponse',
      run: (call, fault) => {
        const { total: count, rows } = listOperations(call, fault, jobs, quirks);
        return { ...total(count), data: {}, job_set: rows };
      },
    },
    '/cluster/list': {
      method: 'GET',
      name: WRONG_NAME,
      run: (call, fault) => {
        const { total: count, rows } = listClusters(call, fault, owner, tools);
        return { ...total(count), cluster_set: rows };
      },
    },
  };
};
