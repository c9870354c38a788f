import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { AlibabaEhpcSimulator } from '../../simulators/alibaba-ehpc/index.js';
import type { ShanheHpcSimulator } from '../../simulators/shanhe-hpc/index.js';
import { EHPC_CLUSTER, ehpcAccount, SHANHE_CLUSTER, shanheAccount, startEhpc, startShanhe } from './backends.js';
import { startGateway, type TestGateway } from './gateway.js';

/** What the tests of a file work with; there from the first `beforeEach` on. */
export interface BothVendors {
  ehpc: AlibabaEhpcSimulator;
  shanhe: ShanheHpcSimulator;
  gateway: TestGateway;
}

/** What a configuration of a gateway over both says. */
export const configOver = ({ ehpc, shanhe }: Pick<BothVendors, 'ehpc' | 'shanhe'>) => ({
  server: { settleSeconds: 0, drainSeconds: 0 },
  accounts: {
    aliyun: { ...ehpcAccount(ehpc), listing: 'sync', discover: true },
    jinan: { ...shanheAccount(shanhe), discover: true },
  },
  clusters: [
    { id: 'ali', account: 'aliyun', vendorClusterId: EHPC_CLUSTER },
    { id: 'ali-broken', account: 'aliyun', vendorClusterId: 'ehpc-hz-broken0001' },
    { id: 'ali-missing', account: 'aliyun', vendorClusterId: 'ehpc-hz-missing001' },
    { id: 'shan', account: 'jinan', vendorClusterId: SHANHE_CLUSTER },
    { id: 'shan-shared', account: 'jinan', vendorClusterId: 'hpc-shared001' },
    { id: 'shan-stopped', account: 'jinan', vendorClusterId: 'ehpc-stopped1' },
    { id: 'shan-missing', account: 'jinan', vendorClusterId: 'ehpc-missing1' },
  ],
});

/** One gateway over both vendors, with clusters that are ready, not ready, shared and missing. */
export const bothVendors = (): BothVendors => {
  const stage = {} as BothVendors;
  beforeAll(async () => {
    [stage.ehpc, stage.shanhe] = await Promise.all([startEhpc(), startShanhe()]);
  });
  afterAll(async () => {
    await Promise.all([stage.ehpc.close(), stage.shanhe.close()]);
  });
  // A gateway for each test: a breaker that has opened stays with its gateway.
  beforeEach(async () => {
    stage.gateway = await startGateway(configOver(stage));
  });
  afterEach(async () => {
    stage.ehpc.clearFaults();
    stage.shanhe.clearFaults();
    await stage.gateway.stop();
  });
  return stage;
};
