/** Who may pass to a vendor with a write. */
import type { Call } from '../adapter.js';
import { asGatewayError, GatewayError } from '../errors.js';
import type { Capabilities, ClusterState, UserFeature } from '../model.js';
import type { Target } from '../registry.js';
import { type Clusters, capabilitiesOf } from './clusters.js';
import { requireFeature } from './rules.js';

export interface Gate {
  /**
   * The cluster, when it can do this now. What needs no vendor call is checked first: the vendor's general rules, then those of this
   * very cluster, then its state.
   * @throws cluster_not_found, not_supported, cluster_not_ready, and what `check` throws
   */
  admit(clusterId: string, feature: UserFeature, check: (capabilities: Capabilities) => void, call: Call): Promise<Target>;
  /** The work, where a denial that comes from the state of the cluster is told as such: Shanhe has one code for both. */
  explainDenial<T>(target: Target, call: Call, work: Promise<T>): Promise<T>;
}

/** An unknown state is for the vendor to judge. */
const mayWrite = (state: ClusterState): boolean => state === 'ready' || state === 'unknown';

export const createGate = (clusters: Clusters): Gate => {
  const requireReady = async (target: Target, call: Call, cause?: GatewayError): Promise<void> => {
    const { state } = await clusters.freshFacts(target, call);
    if (mayWrite(state)) return;
    throw (cause ?? new GatewayError('cluster_not_ready', '')).retold(
      `The cluster ${target.id} is not ready but ${state}; its users cannot be changed now.`,
      'cluster_not_ready',
    );
  };

  return {
    admit: async (clusterId, feature, check, call) => {
      const target = await clusters.resolve(clusterId, call);
      const general = capabilitiesOf(target);
      requireFeature(feature, general, target.account.module.title);
      check(general);
      const facts = await clusters.facts(target, call);
      const own = capabilitiesOf(target, facts);
      requireFeature(feature, own, `The cluster ${clusterId}`);
      check(own);
      if (!mayWrite(facts.state)) await requireReady(target, call);
      return target;
    },

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
