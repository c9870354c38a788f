/** Who may pass to a vendor with a write. */
import type { Call } from '../adapter.js';
import type { CallerCall } from '../callers/caller.js';
import { type Clusters, capabilitiesOf } from '../clusters/directory.js';
import type { Target } from '../clusters/registry.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Capabilities, ClusterState, UserFeature } from '../model.js';
import { requireFeature } from './rules.js';

/** What an item of a write asks of a cluster. */
export interface Requirement {
  readonly features: readonly UserFeature[];
  /** @throws invalid_user */
  check(capabilities: Capabilities): void;
}

export interface Admitted {
  readonly target: Target;
  /** Why an item may not pass, by its position. */
  readonly refusals: ReadonlyMap<number, GatewayError>;
}

export interface Admission {
  /**
   * The cluster, when it can do this now. What needs no vendor call is checked first: the vendor's general rules, then those of this
   * very cluster, then its state.
   * @throws cluster_not_found, not_supported, cluster_not_ready, and what `check` throws
   */
  admit(clusterId: string, requirement: Requirement, call: CallerCall): Promise<Target>;
  /** The same for many items: those that the cluster cannot take are named. @throws cluster_not_found, cluster_not_ready */
  admitAll(clusterId: string, requirements: readonly Requirement[], call: CallerCall): Promise<Admitted>;
  /** Why the cluster cannot take an item, in whatever state it is. */
  refusalOf(target: Target, requirement: Requirement, call: Call): Promise<GatewayError | undefined>;
  /** The work, where a denial that comes from the state of the cluster is reported as that: Shanhe has one code for both. */
  explainDenial<T>(target: Target, call: Call, work: Promise<T>): Promise<T>;
}

/** An unknown state is for the vendor to judge. */
const mayWrite = (state: ClusterState): boolean => state === 'ready' || state === 'unknown';

const readOnly = ({ id, account }: Target): GatewayError =>
  new GatewayError(
    'not_supported',
    `The cluster ${id} is read only: another account shows it too, and has another write domain than ${account.name}. The log of the gateway names both. Give them the same domain (accounts.NAME.domain).`,
  );

export const createAdmission = (clusters: Clusters): Admission => {
  const requireReady = async (target: Target, call: Call, cause?: GatewayError): Promise<void> => {
    const { state } = await clusters.freshFacts(target, call);
    if (mayWrite(state)) return;
    throw (cause ?? new GatewayError('cluster_not_ready', '')).withMessage(
      `The cluster ${target.id} is not ready but ${state}; its users cannot be changed now.`,
      'cluster_not_ready',
    );
  };

  /** Refusals by the vendor's general rules, then by those of this very cluster; and its facts, where these were needed. */
  const judge = async (target: Target, requirements: readonly Requirement[], call: Call) => {
    const refusals = new Map<number, GatewayError>();
    const judgeBy = (capabilities: Capabilities, where: string): void => {
      requirements.forEach(({ features, check }, index) => {
        if (refusals.has(index)) return;
        try {
          for (const feature of features) requireFeature(feature, capabilities, where);
          check(capabilities);
        } catch (thrown) {
          refusals.set(index, asGatewayError(thrown));
        }
      });
    };
    judgeBy(capabilitiesOf(target), target.account.module.title);
    if (refusals.size === requirements.length) return { refusals };
    const facts = await clusters.facts(target, call);
    judgeBy(capabilitiesOf(target, facts), `The cluster ${target.id}`);
    return { refusals, facts };
  };

  const admitAll: Admission['admitAll'] = async (clusterId, requirements, call) => {
    const target = await clusters.resolve(clusterId, call);
    if (target.writtenBy !== undefined) throw readOnly(target);
    const { refusals, facts } = await judge(target, requirements, call);
    if (facts && refusals.size < requirements.length && !mayWrite(facts.state)) await requireReady(target, call);
    return { target, refusals };
  };

  return {
    admit: async (clusterId, requirement, call) => {
      const { target, refusals } = await admitAll(clusterId, [requirement], call);
      for (const refusal of refusals.values()) throw refusal;
      return target;
    },

    admitAll,

    refusalOf: async (target, requirement, call) => (await judge(target, [requirement], call)).refusals.get(0),

    explainDenial: (target, call, work) =>
      work.catch(async (thrown: unknown) => {
        const error = asGatewayError(thrown);
        if (error.code !== 'vendor_permission_denied') throw error;
        // A state that cannot be read explains nothing: the verdict stays.
        const explained = await requireReady(target, call, error).catch(asGatewayError);
        throw explained?.code === 'cluster_not_ready' ? explained : error;
      }),
  };
};
