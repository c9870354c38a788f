import { changeError, type OtherParty, timeOrNow } from '../kit/index.js';
import { isGroup } from './rules.js';
import type { EhpcGroup } from './seed.js';
import type { EhpcCluster, EhpcState } from './state.js';

const groupIn = (text: string): EhpcGroup => (isGroup(text) ? text : changeError('"group" must be users or wheel'));

/** Changes on the cluster's own nodes: no rule for names or passwords holds there. */
export const createOtherParty = (state: EhpcState, now: () => Date): OtherParty => {
  const clusterOf = (id: string): EhpcCluster => state.clusters.get(id) ?? changeError(`no cluster ${id} here`);
  return {
    addUser: (clusterId, name, { password, group = 'users', at } = {}) =>
      state.add(clusterOf(clusterId), { name, group: groupIn(group), password, addTime: timeOrNow(at, now()) }),
    removeUser: (clusterId, name) => state.remove(clusterOf(clusterId), name),
    changePassword: (clusterId, name, password) => state.repassword(clusterOf(clusterId), name, password),
    setGroup: (clusterId, name, group) => state.regroup(clusterOf(clusterId), name, groupIn(group)),
  };
};
