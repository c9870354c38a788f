/**
 * Around every adapter: nothing that it returns or throws shows a secret of the account or of the call, and no text of the vendor is longer
 * or stranger than others have to bear. Adapters pass on what the vendor said as it is.
 */
import type { Adapter, Call, Receipt } from '../adapter.js';
import { type Secret, secretsIn } from '../secret.js';
import type { Traces } from '../telemetry/trace.js';
import { badResponse } from '../wire.js';
import { createPresenter, type Presenter } from './presentable.js';
import type { RecentSecrets } from './recent-secrets.js';
import type { Scope } from './scope.js';

type Result<Method extends keyof Adapter> = Awaited<ReturnType<NonNullable<Adapter[Method]>>>;

/** One for each method of the contract, so that a new one does not compile without. */
type Presenters = { readonly [Method in keyof Required<Adapter>]: (result: Result<Method>, shown: Presenter) => Result<Method> };

/** The id of a job goes back to the vendor as it is, and is stored until then. */
const receipt = (given: Receipt, shown: Presenter): Receipt => {
  if (given.state === 'accepted' && !shown.isWithoutSecrets(given.job)) throw badResponse('a job that cannot be asked for');
  return given.requestId ? { ...given, requestId: shown.requestId(given.requestId) } : given;
};

const PRESENTERS: Presenters = {
  listClusters: ({ clusters, omitted = 0 }, shown) => {
    const usable = clusters.filter(({ id }) => shown.isUsableName(id));
    return { clusters: usable.map(shown.cluster), omitted: omitted + clusters.length - usable.length };
  },
  getCluster: (cluster, shown) => shown.cluster(cluster),
  listUsers: ({ snapshot: given, users, omitted = 0, ...slice }, shown) => {
    const usable = users.filter(({ username }) => shown.isUsableName(username));
    const snapshot = shown.snapshot(given);
    return {
      ...slice,
      users: usable.map(shown.user),
      omitted: omitted + users.length - usable.length,
      ...(snapshot !== undefined && { snapshot }),
    };
  },
  lookUpUser: (user, shown) => (user && shown.isUsableName(user.username) ? shown.user(user) : null),
  createUsers: receipt,
  setRoles: receipt,
  setPasswords: receipt,
  deleteUsers: receipt,
  getJobs: (jobs, shown) => jobs.map((job) => (job.state === 'failed' ? { ...job, code: shown.jobCode(job.code) } : job)),
};

type Method = (...args: unknown[]) => Promise<unknown>;

/** @param secrets those of the account @param recent those of all calls, to which its own are added @param traceOf by the id of a request of ours */
export const guardAdapter = (
  adapter: Adapter,
  secrets: readonly Secret[],
  recent?: RecentSecrets,
  traceOf: Traces['of'] = () => undefined,
): Adapter => {
  const guarded = (name: keyof Adapter, method: Method): Method => {
    const present = PRESENTERS[name] as (result: unknown, shown: Presenter) => unknown;
    return async (...args) => {
      const own = secretsIn(args.slice(0, -1));
      recent?.note(own);
      const all = new Set([...secrets, ...own]);
      const presenter = (): Presenter => createPresenter(all, recent);
      const call = args.at(-1) as Call;
      const scope: Scope = {
        secrets: all,
        trace: traceOf(call.requestId),
        shownId: (id) => presenter().requestId(id),
      };
      try {
        return present(await method.apply(adapter, [...args.slice(0, -1), { ...call, scope }]), presenter());
      } catch (thrown) {
        throw presenter().failure(thrown);
      }
    };
  };
  const methods = (Object.keys(PRESENTERS) as (keyof Adapter)[]).filter((name) => adapter[name] !== undefined);
  return Object.fromEntries(methods.map((name) => [name, guarded(name, adapter[name] as Method)])) as unknown as Adapter;
};
