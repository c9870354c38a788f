/** `hpc-gateway users …`. */
import type { GatewayClient, Role, User } from '@hpc-gateway/client';
import { confirm, type PasswordOptions, takePassword } from './ask.js';
import { connect, type GatewayOptions } from './connect.js';
import { EXIT } from './exit.js';
import { isRead, say, writeJson, writeLine, writeTable } from './output.js';

interface ClusterOptions extends GatewayOptions {
  readonly cluster: string;
}

export interface ListOptions extends ClusterOptions {
  readonly search?: string;
  readonly role?: Role;
  readonly limit?: number;
  readonly ndjson?: true;
}

/** Of one request. */
const WINDOW = 1_000;

const COLUMNS = ['USERNAME', 'ROLE', 'GROUP', 'UID', 'GID', 'CREATED'];
const toRow = ({ username, role, group, uid, gid, createdAt }: User) => [username, role, group, uid, gid, createdAt];

const show = (user: User, { json }: GatewayOptions): number => {
  if (json) writeJson(user);
  else writeTable(COLUMNS, [toRow(user)]);
  return EXIT.done;
};

/** Windows until there are as many users as asked for. */
async function* windows(gateway: GatewayClient, { cluster, search, role, limit = Number.POSITIVE_INFINITY }: ListOptions) {
  const query = { limit: Math.min(limit, WINDOW), ...(search !== undefined && { search }), ...(role && { role }) };
  let [left, omitted] = [limit, 0];
  for await (const { items, incomplete } of gateway.userPages(cluster, query)) {
    omitted += incomplete?.omittedRows ?? 0;
    yield items.slice(0, left);
    left -= items.length;
    if (left <= 0 || !isRead()) break;
  }
  if (omitted > 0) say(`The list is incomplete: the vendor sent ${omitted} rows that name nobody.`);
}

export const listUsers = async (options: ListOptions): Promise<number> => {
  const gateway = await connect(options);
  const users: User[] = [];
  for await (const items of windows(gateway, options))
    if (options.ndjson) for (const user of items) writeLine(user);
    else users.push(...items);
  if (options.json) writeJson(users);
  else if (!options.ndjson) writeTable(COLUMNS, users.map(toRow));
  return EXIT.done;
};

export const getUser = async (username: string, options: ClusterOptions): Promise<number> => {
  const gateway = await connect(options);
  return show(await gateway.user(options.cluster, username), options);
};

export interface CreateOptions extends ClusterOptions, PasswordOptions {
  readonly role?: Role;
  readonly directoryMode?: string;
}

export const createUser = async (username: string, options: CreateOptions): Promise<number> => {
  const { cluster, role, directoryMode } = options;
  const gateway = await connect(options);
  const password = await takePassword(username, options);
  const user = { username, password, ...(role && { role }), ...(directoryMode !== undefined && { directoryMode }) };
  return show(await gateway.createUser(cluster, user), options);
};

export const setRole = async (username: string, role: Role, options: ClusterOptions): Promise<number> => {
  const gateway = await connect(options);
  return show(await gateway.setRole(options.cluster, username, role), options);
};

const done = (username: string, status: string, { cluster, json }: ClusterOptions): number => {
  if (json) writeJson({ clusterId: cluster, username, status });
  else say(`${username} on ${cluster}: ${status}`);
  return EXIT.done;
};

export const setPassword = async (username: string, options: ClusterOptions & PasswordOptions): Promise<number> => {
  const gateway = await connect(options);
  await gateway.setPassword(options.cluster, username, await takePassword(username, options));
  return done(username, 'updated', options);
};

export interface DeleteOptions extends ClusterOptions {
  readonly yes?: true;
}

export const deleteUser = async (username: string, options: DeleteOptions): Promise<number> => {
  const gateway = await connect(options);
  if (!options.yes && !(await confirm(`Delete ${username} from ${options.cluster}?`, '--yes'))) {
    say('Nothing was changed.');
    return EXIT.notDone;
  }
  await gateway.deleteUser(options.cluster, username);
  return done(username, 'deleted', options);
};
