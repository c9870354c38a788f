import { type Simulator, startServer } from '../kit/index.js';
import { mixedText, upperText } from '../kit/random.js';
import { createDialect } from './dialect.js';
import { SHANHE_QUIRKS, type ShanheQuirks } from './quirks.js';
import { DEFAULT_CLUSTERS, type ShanheClusterSeed } from './seed.js';

/** Pure verification, for checking published vectors with a clock of one's own. */
export * from './canonical.js';
export type { ShanheQuirks } from './quirks.js';
export type { ShanheClusterSeed, ShanheRole, ShanheUserSeed } from './seed.js';
export { readCall, type ShanheCall } from './urls.js';
export { type VerifyRules, verifyCall } from './verify.js';

export interface ShanheHpcOptions {
  port?: number | undefined;
  /** Keys are random when not given. */
  accessKeyId?: string;
  secretAccessKey?: string;
  /** Accepted besides the documented jn1a, jinan1a and jinan1 (1.3). */
  zone?: string;
  now?: () => Date;
  clusters?: ShanheClusterSeed[];
  latencyMs?: number | undefined;
  /** How long an add or delete job stays pending; default 200. */
  jobMs?: number;
  /** The account of the clusters; when given, cluster/list refuses another one. */
  owner?: string;
  /** Calls per 3600 seconds; no quota when not given (the vendor's is 2000). */
  quota?: number;
  quirks?: Partial<ShanheQuirks>;
}

export interface ShanheHpcSimulator extends Simulator {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly zone: string;
}

const ZONES = ['jn1a', 'jinan1a', 'jinan1'];
const ACCOUNT = 'usr-vceaHsJu';

/** Shanhe HPC on 127.0.0.1; the endpoint ends in `/api`. */
export const startShanheHpc = async (options: ShanheHpcOptions = {}): Promise<ShanheHpcSimulator> => {
  const { accessKeyId = upperText(20), secretAccessKey = mixedText(40), zone = 'jn1a', clusters = DEFAULT_CLUSTERS } = options;
  const settings = {
    accessKeyId,
    secretAccessKey,
    zones: [...ZONES, zone],
    clusters,
    quirks: { ...SHANHE_QUIRKS, ...options.quirks },
    jobMs: options.jobMs ?? 200,
    account: options.owner ?? ACCOUNT,
    owner: options.owner,
    quota: options.quota,
  };
  const core = await startServer(options, (context) => createDialect(settings, context));
  return {
    ...core,
    endpoint: `${core.endpoint}/api`,
    clusters: clusters.map(({ id }) => id),
    accessKeyId,
    secretAccessKey,
    zone,
  };
};
