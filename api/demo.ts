/** Without a configuration the gateway serves simulated vendors, so that it can be tried on any machine. */
import { type DemoSimulators, startDemoSimulators } from '../simulators/demo.js';

export interface Demo {
  /** What a configuration file would say. */
  readonly raw: object;
  close(): Promise<void>;
}

const toConfig = ({ alibaba, shanhe }: DemoSimulators): object => ({
  accounts: {
    'demo-aliyun': {
      vendor: 'alibaba-ehpc',
      region: alibaba.region,
      endpoint: alibaba.endpoint,
      credentials: { accessKeyId: alibaba.accessKeyId, accessKeySecret: alibaba.accessKeySecret },
    },
    'demo-jinan': {
      vendor: 'shanhe-hpc',
      endpoint: shanhe.endpoint,
      zone: shanhe.zone,
      credentials: { accessKeyId: shanhe.accessKeyId, secretAccessKey: shanhe.secretAccessKey },
    },
  },
  log: { level: 'warn' },
  server: { docs: { tryItOut: true } },
  store: { kind: 'memory' },
  clusters: [
    { id: 'demo-ehpc', account: 'demo-aliyun', vendorClusterId: alibaba.clusters[0] },
    { id: 'demo-shanhe', account: 'demo-jinan', vendorClusterId: shanhe.clusters[0] },
  ],
});

export const startDemo = async (): Promise<Demo> => {
  const simulators = await startDemoSimulators();
  return {
    raw: toConfig(simulators),
    close: async () => {
      await Promise.all([simulators.alibaba.close(), simulators.shanhe.close()]);
    },
  };
};

export const demoBanner = (url: string): string => `
  DEMO: two simulated vendors run inside. Nothing is real, nothing is kept.
  For real accounts: HPC_GATEWAY_CONFIG=gateway.yaml npm start

  curl ${url}/clusters
  curl '${url}/clusters/demo-ehpc/users?limit=3'
  curl ${url}/clusters/demo-shanhe/users -H 'content-type: application/json' -d '{"username":"li_wei","password":"Choose@Your0wn"}'
`;
