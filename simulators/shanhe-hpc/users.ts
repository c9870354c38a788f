import { type Fault, inventedName, takePage } from '../kit/index.js';
import { derivedText } from '../kit/random.js';
import { refuse } from './errors.js';
import type { Jobs } from './jobs.js';
import type { ShanheQuirks } from './quirks.js';
import { bodyText, modIn, newUsername, pageOf, passwordIn } from './rules.js';
import type { ShanheCluster, ShanheState, ShanheUser } from './state.js';
import type { ShanheCall } from './urls.js';

export interface UserTools {
  readonly state: ShanheState;
  readonly jobs: Jobs;
  readonly quirks: ShanheQuirks;
}

const MOUNT_POINT = '/public/shanhe/s0723';

const rowOf = (cluster: ShanheCluster, user: ShanheUser, quirks: ShanheQuirks) => {
  const id = quirks.ids === 'number' ? user.uid : String(user.uid);
  return {
    cluster_id: cluster.seed.id,
    create_time: user.createTime,
    gid_number: id,
    hpcuser_id: `hpcuser-${derivedText(`${cluster.seed.id}/${user.uid}`, 8)}`,
    mod: user.mod,
    nas_mount_point: cluster.seed.mountPoint ?? MOUNT_POINT,
    role: user.role,
    uid_number: id,
    update_time: user.updateTime,
    user_id: user.userId,
    username: user.username,
  };
};

/** 11.9: without cluster_id, the users of every cluster of the account. */
const clustersAsked = (call: ShanheCall, { state, quirks }: UserTools): ShanheCluster[] => {
  const id = call.query.get('cluster_id') ?? '';
  if (id === '') return [...state.clusters.values()];
  const cluster = state.clusters.get(id);
  if (cluster !== undefined) return [cluster];
  if (quirks.unknownCluster === 'empty') return [];
  return refuse(
    quirks.unknownCluster,
    quirks.unknownCluster === '5000' ? `get hpc cluster[${id}] user failed` : `cluster [${id}] not found`,
  );
};

/** The user at this place of a list without end. */
const inventedUser = (position: number): ShanheUser => ({
  username: inventedName(position),
  userId: 'usr-invented',
  role: 'member',
  uid: 1_000_000 + position,
  mod: null,
  createTime: '2021-08-17T09:12:40Z',
  updateTime: '2021-08-17T09:12:40Z',
  passwordHash: null,
});

/** 4.1. */
export const listUsers = (call: ShanheCall, fault: Fault | null, tools: UserTools) => {
  const { quirks } = tools;
  const word = (call.query.get('search_word') ?? '').toLowerCase();
  const userId = call.query.get('user_id') ?? '';
  const fits = (name: string) => (quirks.search === 'prefix' ? name.startsWith(word) : name.includes(word));
  const clusters = clustersAsked(call, tools);
  const found = clusters.flatMap((cluster) =>
    [...cluster.users.values()]
      .filter((user) => fits(user.username.toLowerCase()) && (userId === '' || user.userId === userId))
      .map((user) => ({ cluster, user })),
  );
  const [first] = clusters;
  const invent = first && ((position: number) => ({ cluster: first, user: inventedUser(position) }));
  const { total, rows } = takePage(found, pageOf(call, quirks, fault), fault, invent);
  return { total, rows: rows.map(({ cluster, user }) => rowOf(cluster, user, quirks)) };
};

const writableCluster = (call: ShanheCall, state: ShanheState): ShanheCluster => {
  const id = bodyText(call, 'cluster_id');
  const cluster = state.clusters.get(id) ?? refuse('2100', `cluster [${id}] not found`);
  return cluster.seed.status === 'active' ? cluster : refuse('1400', `cluster [${id}] is ${cluster.seed.status}`);
};

const exclusiveCluster = (cluster: ShanheCluster): ShanheCluster =>
  cluster.seed.type === 'ehpc'
    ? cluster
    : refuse('1400', `users of the shared cluster [${cluster.seed.id}] can not be added or deleted`);

/** 4.2: the answer is a job; the user is there when the job has succeeded. */
export const addUser = (call: ShanheCall, fault: Fault | null, { state, jobs, quirks }: UserTools): string => {
  const clusterId = bodyText(call, 'cluster_id');
  const given = newUsername(call);
  const username = quirks.names === 'small' ? given.toLowerCase() : given;
  const password = passwordIn(call, 'password', quirks);
  const mod = modIn(call);
  const cluster = exclusiveCluster(writableCluster(call, state));
  if (quirks.duplicateUser !== 'job' && cluster.users.has(username)) {
    refuse(
      quirks.duplicateUser,
      quirks.duplicateUser === '5000' ? `add hpc cluster [${clusterId}] user failed` : `user [${username}] exists`,
    );
  }
  const run = () => state.add(cluster, { username, password, mod });
  return jobs.start({ action: 'HpcUserAddUser', describe: '添加用户', clusterId, owner: state.owner, run }, fault);
};

const unknown = (username: string, quirks: ShanheQuirks): never =>
  quirks.unknownUser === '2100'
    ? refuse('2100', `user [${username}] not found`)
    : refuse('5000', `delete cluster user failed: detail: user [${username}] not found`);

/** 4.3: `admin` stays, and so does the last user. */
export const deleteUser = (call: ShanheCall, fault: Fault | null, { state, jobs, quirks }: UserTools): string => {
  const clusterId = bodyText(call, 'cluster_id');
  const username = bodyText(call, 'username');
  const cluster = exclusiveCluster(writableCluster(call, state));
  if (username === 'admin') refuse('1400', 'admin can not be deleted');
  if (!cluster.users.has(username) && quirks.unknownUser !== 'job') unknown(username, quirks);
  if (cluster.users.has(username) && cluster.users.size < 2) refuse('1400', 'the last user can not be deleted');
  const run = () => state.remove(cluster, username);
  return jobs.start({ action: 'HpcUserDeleteUser', describe: '删除用户', clusterId, owner: state.owner, run }, fault);
};

/** 4.4: at once, for every user of every kind of cluster. */
export const modifyUser = (call: ShanheCall, { state, quirks }: UserTools): void => {
  const username = bodyText(call, 'username');
  const password = passwordIn(call, 'new_password', quirks);
  const cluster = writableCluster(call, state);
  const code = quirks.unknownUser === '2100' ? '2100' : '5000';
  const user = cluster.users.get(username) ?? refuse(code, `modify cluster user failed: user [${username}] not found`);
  state.repassword(cluster, user, password);
};
