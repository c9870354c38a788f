import type { Accounts } from '../../../src/clusters/condition.js';
import type { Handlers } from '../operations.js';

export const accountHandlers = (accounts: Accounts): Pick<Handlers, 'listAccounts' | 'getAccount'> => ({
  listAccounts: async ({ call }) => ({ status: 200, body: { items: await accounts.list(call) } }),
  getAccount: async ({ params, call }) => ({ status: 200, body: await accounts.get(params.accountId, call) }),
});
