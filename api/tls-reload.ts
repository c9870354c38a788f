/** Follows the key and the certificate of the configuration: what renews them need not restart the gateway. */
import type { Logger } from 'pino';
import { environment } from '../src/config/environment.js';
import { ConfigError } from '../src/config/error.js';
import { loadTls } from '../src/config/load.js';
import type { TlsConfig } from '../src/config/schema.js';
import type { Gateway } from './gateway.js';

const LOOK_MS = 10_000;

export interface TlsReload {
  /** Looks now. */
  look(): void;
  stop(): void;
}

const textOf = (error: unknown): string => (error instanceof ConfigError ? error.problems.join('; ') : (error as Error).message);

export const followTls = (path: string, first: TlsConfig, gateway: Pick<Gateway, 'useTls'>, log: Logger): TlsReload => {
  let known = first;
  /** Reported once. */
  let failure = '';
  const look = (): void => {
    try {
      const found = loadTls(path, environment);
      failure = '';
      if (!found || (found.key.equals(known.key) && found.certificate === known.certificate)) return;
      gateway.useTls(found);
      known = found;
      log.info('a new key and certificate are used for connections from now on');
    } catch (error) {
      const reason = textOf(error);
      if (reason !== failure) log.error({ reason }, 'the key and certificate cannot be loaded again; those known are used');
      failure = reason;
    }
  };
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
};
