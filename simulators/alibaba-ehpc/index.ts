import { type Simulator, startServer } from '../kit/index.js';
import { mixedText } from '../kit/random.js';
import { createDialect } from './dialect.js';
import type { AsyncListing } from './listing.js';
import { EHPC_QUIRKS, type EhpcQuirks } from './quirks.js';
import { DEFAULT_CLUSTERS, type EhpcClusterSeed } from './seed.js';

/** Pure verification, for checking published vectors with a clock of one's own. */
export * from './canonical.js';
export type { AsyncListing } from './listing.js';
export type { EhpcQuirks } from './quirks.js';
export type { EhpcClusterSeed, EhpcGroup, EhpcUserSeed } from './seed.js';
export { type EhpcCall, readCall } from './urls.js';
export { type Keyring, verifyCall } from './verify.js';

export interface AlibabaEhpcOptions {
  port?: number | undefined;
  /** Keys are random when not given. */
  accessKeyId?: string;
  accessKeySecret?: string;
  /** Makes the key a temporary one: every call must carry this token. */
  securityToken?: string;
  region?: string;
  /** HostId of error bodies; default `ehpc.<region>.aliyuncs.com`. Signatures are checked with the received Host. */
  host?: string;
  now?: () => Date;
  clusters?: EhpcClusterSeed[];
  latencyMs?: number | undefined;
  asyncListing?: AsyncListing;
  /** Until a ListUsersAsync task is over; default 50. */
  asyncDelayMs?: number;
  /** How long an AsyncId can be asked for; default 10 minutes. */
  asyncLifetimeMs?: number;
  /** Until a write with `Async=true` shows; default 100. */
  asyncWriteMs?: number;
  quirks?: Partial<EhpcQuirks>;
  /** Actions that RAM forbids to this key. */
  denyActions?: string[];
  /** Refuses POST: whether the 2018 version takes it is not documented (section 12). */
  strictPost?: boolean;
}

export interface AlibabaEhpcSimulator extends Simulator {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
  readonly region: string;
}

/** Alibaba Cloud E-HPC, RPC API 2018-04-12, on 127.0.0.1. */
export const startAlibabaEhpc = async (options: AlibabaEhpcOptions = {}): Promise<AlibabaEhpcSimulator> => {
  const {
    accessKeyId = `LTAI5t${mixedText(18)}`,
    accessKeySecret = mixedText(30),
    securityToken,
    region = 'cn-hangzhou',
  } = options;
  const { clusters = DEFAULT_CLUSTERS } = options;
  const settings = {
    keyring: { accessKeyId, accessKeySecret, securityToken },
    quirks: { ...EHPC_QUIRKS, ...options.quirks },
    clusters,
    region,
    host: options.host ?? `ehpc.${region}.aliyuncs.com`,
    asyncListing: options.asyncListing ?? 'delayed',
    asyncDelayMs: options.asyncDelayMs ?? 50,
    asyncLifetimeMs: options.asyncLifetimeMs ?? 600_000,
    asyncWriteMs: options.asyncWriteMs ?? 100,
    denyActions: options.denyActions ?? [],
    strictPost: options.strictPost ?? false,
  };
  const core = await startServer(options, (context) => createDialect(settings, context));
  const keys = { accessKeyId, accessKeySecret, ...(securityToken === undefined ? {} : { securityToken }), region };
  return { ...core, clusters: clusters.map(({ id }) => id), ...keys };
};
