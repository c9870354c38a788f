/** The reference adapter: what "correct" means, without a vendor. Users are kept in the process. */
import type { Adapter, AdapterModule, VendorCluster, VendorUser } from '../../src/adapter.js';
import { GatewayError } from '../../src/errors.js';
import type { Capabilities, Role } from '../../src/model.js';

interface MemoryConfig {
  readonly clusters: Readonly<Record<string, { readonly users: readonly { readonly username: string; readonly role: Role }[] }>>;
}

const CAPABILITIES: Capabilities = {
  features: ['list', 'get', 'create', 'setRole', 'setPassword', 'delete'],
  roles: ['member', 'admin', 'owner'],
  username: {
    minLength: 1,
    maxLength: 32,
    pattern: '^[a-z][a-z0-9._-]*$',
    description:
      'A username has 1 to 32 characters, small letters, digits, dots, dashes and underscores, and begins with a letter.',
  },
  password: {
    minLength: 8,
    maxLength: 64,
    minClasses: 2,
    pattern: null,
    description: 'A password has 8 to 64 characters and at least two of the classes upper case, lower case, digit and symbol.',
  },
  directoryMode: false,
  batch: { concurrency: 1, create: 100, setRole: 100, setPassword: 100, delete: 100 },
  pageSize: 1000,
  search: 'gateway',
  writes: 'immediate',
};

const role = { type: 'string', enum: ['member', 'admin', 'owner'], default: 'member' };

const configSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['clusters'],
  properties: {
    clusters: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          users: {
            type: 'array',
            default: [],
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['username'],
              properties: { username: { type: 'string', minLength: 1 }, role },
            },
          },
        },
      },
    },
  },
};

const describe = (id: string): VendorCluster => ({
  id,
  name: id,
  state: 'ready',
  vendorState: null,
  type: null,
  region: null,
  zone: null,
  createdAt: null,
});

export const memory: AdapterModule<MemoryConfig> = {
  vendor: 'memory',
  title: 'Memory',
  configSchema,
  capabilities: () => CAPABILITIES,

  create: ({ config, now }): Adapter => {
    let nextUid = 1000;
    const toUser = (username: string, role: Role): VendorUser => {
      const uid = nextUid++;
      const at = now().toISOString();
      return {
        username,
        role,
        group: null,
        uid,
        gid: uid,
        mountPoint: null,
        createdAt: at,
        updatedAt: at,
        userId: String(uid),
        attributes: { uid },
      };
    };
    const clusters = new Map(
      Object.entries(config.clusters).map(([id, { users }]) => [
        id,
        new Map(users.map((u) => [u.username, toUser(u.username, u.role)])),
      ]),
    );

    const usersOf = (clusterId: string): Map<string, VendorUser> => {
      const users = clusters.get(clusterId);
      if (!users) throw new GatewayError('cluster_not_found', 'There is no such cluster.');
      return users;
    };
    /** All or nothing: no user is touched when one of them is unknown. */
    const existing = (clusterId: string, usernames: readonly string[]): VendorUser[] =>
      usernames.map((username) => {
        const user = usersOf(clusterId).get(username);
        if (!user) throw new GatewayError('user_not_found', `There is no user ${username}.`);
        return user;
      });
    const replace = (clusterId: string, user: VendorUser): void => {
      usersOf(clusterId).set(user.username, { ...user, updatedAt: now().toISOString() });
    };

    return {
      listClusters: async () => ({ clusters: [...clusters.keys()].map(describe) }),
      getCluster: async (clusterId) => {
        usersOf(clusterId);
        return describe(clusterId);
      },
      listUsers: async (clusterId, { offset, limit }) => {
        const users = [...usersOf(clusterId).values()];
        return { users: users.slice(offset, offset + limit), total: users.length };
      },
      createUsers: async (clusterId, users) => {
        const taken = users.find(({ username }) => usersOf(clusterId).has(username));
        if (taken) throw new GatewayError('user_already_exists', `There is a user ${taken.username}.`);
        for (const { username, role } of users) usersOf(clusterId).set(username, toUser(username, role));
        return { state: 'applied' };
      },
      setRoles: async (clusterId, changes) => {
        existing(
          clusterId,
          changes.map(({ username }) => username),
        ).forEach((user, index) => {
          replace(clusterId, { ...user, role: changes[index]?.role ?? user.role });
        });
        return { state: 'applied' };
      },
      setPasswords: async (clusterId, changes) => {
        for (const user of existing(
          clusterId,
          changes.map(({ username }) => username),
        ))
          replace(clusterId, user);
        return { state: 'applied' };
      },
      deleteUsers: async (clusterId, usernames) => {
        for (const { username } of existing(clusterId, usernames)) usersOf(clusterId).delete(username);
        return { state: 'applied' };
      },
    };
  },
};
