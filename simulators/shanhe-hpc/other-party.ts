import { changeError, type OtherParty, timeOrNow } from '../kit/index.js';
import type { ShanheRole } from './seed.js';
import type { ShanheCluster, ShanheState, ShanheUser } from './state.js';

const ROLES: readonly ShanheRole[] = ['boss', 'admin', 'member'];
const roleIn = (text: string): ShanheRole =>
  ROLES.find((role) => role === text) ?? changeError(`"group" must be one of ${ROLES.join(', ')}`);

/** Changes in the vendor's console: at once, without a job, and without the rules of addUser. */
export const createOtherParty = (state: ShanheState, now: () => Date): OtherParty => {
  const clusterOf = (id: string): ShanheCluster => state.clusters.get(id) ?? changeError(`no cluster ${id} here`);
  const userOf = (clusterId: string, username: string): ShanheUser =>
    clusterOf(clusterId).users.get(username) ?? changeError(`no user ${username} here`);
  return {
    addUser: (clusterId, username, { password, group = 'member', at } = {}) => {
      const user = { username, password, role: roleIn(group), at: timeOrNow(at, now()) };
      if (!state.add(clusterOf(clusterId), user)) changeError(`user ${username} exists`);
    },
    removeUser: (clusterId, username) => {
      if (!state.remove(clusterOf(clusterId), username)) changeError(`no user ${username} here`);
    },
    changePassword: (clusterId, username, password) =>
      state.repassword(clusterOf(clusterId), userOf(clusterId, username), password),
    setGroup: (clusterId, username, group) => state.changeRole(clusterOf(clusterId), userOf(clusterId, username), roleIn(group)),
  };
};
