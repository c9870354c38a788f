/** Where the keys of an account come from: the configuration, or Alibaba Cloud's own chain (environment, files, roles of the machine). */
import type { AdapterContext } from '../../src/adapter.js';
import { untilAborted } from '../../src/deadline.js';
import { GatewayError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { isObject, text } from '../../src/wire.js';
import type { EhpcConfig, EhpcCredentials } from './config.js';

export interface CredentialSource {
  /** Those to sign with now. @throws vendor_credentials_rejected, vendor_timeout when the signal aborts */
  current(signal: AbortSignal): Promise<EhpcCredentials>;
  /** The vendor did not accept the present ones: the next call asks for others. */
  reject(): void;
}

/** The vendor's client of its chain, which keeps temporary credentials and renews them before they expire. */
export interface Chain {
  getCredential(): Promise<unknown>;
}

export type LoadChain = () => Promise<Chain>;

const PACKAGE = '@alicloud/credentials';
/** A chain that has not answered by then is given up: it may ask services of the machine that are not there. */
const RESOLVE_MS = 20_000;

/** Reading what a chain or a loader threw ends here: its texts may hold keys. */
const refused = (message: string): GatewayError => new GatewayError('vendor_credentials_rejected', message, { effect: 'none' });

const notInstalled = (): GatewayError =>
  refused(`The credential chain needs the package ${PACKAGE}, which is not installed. Install it with: npm install ${PACKAGE}.`);

const notLoaded = (): GatewayError =>
  refused(`The package ${PACKAGE} cannot be loaded, which the credential chain needs. Install it again: npm install ${PACKAGE}.`);

const noCredentials = (): GatewayError =>
  refused(
    'The credential chain of the gateway found no credentials. Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, a credentials file or a RAM role, or put keys into the configuration.',
  );

const tooSlow = (): GatewayError =>
  refused(`The credential chain of the gateway has not answered in ${RESOLVE_MS / 1000} s. Check its source of credentials.`);

const isMissing = (thrown: unknown): boolean =>
  isObject(thrown) && (thrown['code'] === 'ERR_MODULE_NOT_FOUND' || thrown['code'] === 'MODULE_NOT_FOUND');

type Constructor = new () => Chain;

/** Loads the vendor's package where it is needed: nothing else of the gateway does. */
export const loadChain: LoadChain = async () => {
  const { default: exported } = await import('@alicloud/credentials');
  const client = isObject(exported) ? exported['default'] : exported;
  return new (client as Constructor)();
};

const toCredentials = (found: unknown): EhpcCredentials => {
  const [accessKeyId, accessKeySecret, securityToken] = isObject(found)
    ? [text(found['accessKeyId']), text(found['accessKeySecret']), text(found['securityToken'])]
    : [];
  if (!accessKeyId || !accessKeySecret) throw noCredentials();
  return {
    accessKeyId,
    accessKeySecret: new Secret(accessKeySecret),
    ...(securityToken && { securityToken: new Secret(securityToken) }),
  };
};

/** Those that ask at the same time share one answer: the package is not made for several at once. */
const createChainSource = (load: LoadChain, sleep: AdapterContext<EhpcConfig>['sleep']): CredentialSource => {
  let chain: Promise<Chain> | undefined;
  let pending: Promise<EhpcCredentials> | undefined;

  const loaded = (): Promise<Chain> =>
    load().catch((thrown: unknown) => {
      throw isMissing(thrown) ? notInstalled() : notLoaded();
    });

  const ask = async (asked: Promise<Chain>): Promise<EhpcCredentials> => {
    const client = await asked;
    const found = await client.getCredential().catch(() => {
      throw noCredentials();
    });
    return toCredentials(found);
  };

  const resolve = async (): Promise<EhpcCredentials> => {
    chain ??= loaded();
    const asked = chain;
    const over = new AbortController();
    const late = sleep(RESOLVE_MS, over.signal).then(() => {
      throw tooSlow();
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([ask(asked), late]);
    } catch (thrown) {
      // Else the package would keep to the source that failed last.
      if (chain === asked) chain = undefined;
      throw thrown;
    } finally {
      over.abort();
    }
  };

  return {
    current: (signal) => {
      pending ??= resolve().finally(() => {
        pending = undefined;
      });
      return untilAborted(pending, signal);
    },
    reject: () => {
      chain = undefined;
    },
  };
};

export const createCredentials = (
  { config: { credentials }, sleep }: Pick<AdapterContext<EhpcConfig>, 'config' | 'sleep'>,
  load: LoadChain = loadChain,
): CredentialSource => {
  if ('provider' in credentials) return createChainSource(load, sleep);
  return { current: () => Promise.resolve(credentials), reject: () => undefined };
};
