/** How accounts and clusters do, as far as a caller may know: why something failed, and what is left of a budget, is for those who operate. */
import type { CallerCall } from '../callers/caller.js';
import { mayEverywhere, mayOn } from '../callers/rights.js';
import { GatewayError } from '../errors.js';
import type { AccountHealth, BudgetLeft, ClusterHealth } from '../model.js';
import { didYouMean } from '../nearest.js';
import type { Health } from '../vendor/health.js';
import type { Clusters } from './directory.js';
import type { Account, Target } from './registry.js';

const toIso = (ms: number): string => new Date(ms).toISOString();

const ofHealth = ({ lastSuccessAt, lastFailure, ...health }: Health, mayOperate: boolean): ClusterHealth => ({
  ...health,
  lastSuccessAt: lastSuccessAt === null ? null : toIso(lastSuccessAt),
  lastFailure: lastFailure && mayOperate ? { at: toIso(lastFailure.at), code: lastFailure.code } : null,
});

const ofBudget = async ({ budget }: Account, mayOperate: boolean): Promise<BudgetLeft | null> => {
  if (!budget || !mayOperate) return null;
  const { remaining, resetsAt } = await budget.state();
  return { remaining, resetsAt: toIso(resetsAt) };
};

export interface Condition {
  readonly health: ClusterHealth;
  readonly budget: BudgetLeft | null;
}

/** Of clusters of one answer: what is left of a budget is asked for once for each account. Calls no vendor. */
export const createConditions = ({ caller }: CallerCall): ((target: Target) => Promise<Condition>) => {
  const budgets = new Map<Account, Promise<BudgetLeft | null>>();
  const budgetOf = (account: Account): Promise<BudgetLeft | null> => {
    const budget = budgets.get(account) ?? ofBudget(account, true);
    budgets.set(account, budget);
    return budget;
  };
  return async ({ id, account, vendorClusterId }) => {
    const mayOperate = mayOn(caller.rights, ['operate'], id);
    return {
      health: ofHealth(account.health.ofCluster(vendorClusterId), mayOperate),
      budget: mayOperate ? await budgetOf(account) : null,
    };
  };
};

export interface Accounts {
  /** Those that have a cluster that the caller may see. Calls no vendor. */
  list(call: CallerCall): Promise<AccountHealth[]>;
  /** @throws not_found */
  get(name: string, call: CallerCall): Promise<AccountHealth>;
}

export const createAccounts = (clusters: Pick<Clusters, 'accounts' | 'known'>): Accounts => {
  const describe = async (account: Account, call: CallerCall): Promise<AccountHealth> => {
    const { rights } = call.caller;
    const mayOperate =
      mayEverywhere(rights, 'operate') || clusters.known(account).some(({ id }) => mayOn(rights, ['operate'], id));
    return {
      account: account.name,
      vendor: account.module.vendor,
      ...ofHealth(account.health.ofAccount(), mayOperate),
      budget: await ofBudget(account, mayOperate),
    };
  };

  return {
    list: (call) => Promise.all(clusters.accounts(call).map((account) => describe(account, call))),

    get: async (name, call) => {
      const seen = clusters.accounts(call);
      const account = seen.find((candidate) => candidate.name === name);
      if (account) return describe(account, call);
      const help = didYouMean(
        name,
        seen.map((other) => other.name),
      );
      throw new GatewayError('not_found', `There is no account ${name}.${help}`);
    },
  };
};
