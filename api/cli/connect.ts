/** The gateway that a command talks to. */
import { createClient, type GatewayClient } from '@hpc-gateway/client';
import { environment, KNOWN_VARIABLES, unknownVariables } from '../../src/config/environment.js';
import { didYouMean } from '../../src/nearest.js';
import { DEFAULT_URL } from './connect-defaults.js';
import { readSecret } from './files.js';
import { UsageError } from './usage.js';

/** Of every command that talks to a gateway. */
export interface GatewayOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly json?: true;
}

/** A person waits. */
const ATTEMPTS = 3;

/** Without effect, a mistyped variable would lead to another gateway. */
const checkVariables = (): void => {
  const [name] = unknownVariables(environment);
  if (name !== undefined) throw new UsageError(`${name} is not a known variable.${didYouMean(name, KNOWN_VARIABLES)}`);
};

/** @throws UsageError */
export const connect = async ({ url, keyFile }: GatewayOptions): Promise<GatewayClient> => {
  checkVariables();
  const key = keyFile === undefined ? environment['HPC_GATEWAY_KEY'] : await readSecret(keyFile);
  try {
    return createClient({
      url: url ?? (environment['HPC_GATEWAY_URL'] || DEFAULT_URL),
      key: key || undefined,
      attempts: ATTEMPTS,
    });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
};
