/** The gateway that a command talks to. */
import { createClient, type GatewayClient } from '@hpc-gateway/client';
import { environment, KNOWN_VARIABLES, unknownVariables } from '../../src/config/environment.js';
import { isLoopback } from '../../src/config/loopback.js';
import { didYouMean } from '../../src/nearest.js';
import { DEFAULT_URL } from './connect-defaults.js';
import { readSecret } from './files.js';
import { say } from './output.js';
import { UsageError } from './usage.js';

/** Of every command that talks to a gateway. */
export interface GatewayOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly json?: true;
}

/** A person waits. */
const ATTEMPTS = 3;
/** A gateway that restarts is back after that. */
export const PATIENT_ATTEMPTS = 8;

/** Without effect, a mistyped variable would lead to another gateway. */
const checkVariables = (): void => {
  const [name] = unknownVariables(environment);
  if (name !== undefined) throw new UsageError(`${name} is not a known variable.${didYouMean(name, KNOWN_VARIABLES)}`);
};

const warn = ({ protocol, hostname }: URL): void => {
  if (protocol === 'http:' && !isLoopback(hostname))
    say('Keys and passwords are sent in the clear: use https, unless the network is trusted.');
};

/** @throws UsageError */
export const connect = async ({ url: given, keyFile }: GatewayOptions, attempts = ATTEMPTS): Promise<GatewayClient> => {
  checkVariables();
  const key = keyFile === undefined ? environment['HPC_GATEWAY_KEY'] : await readSecret(keyFile);
  const url = given ?? (environment['HPC_GATEWAY_URL'] || DEFAULT_URL);
  try {
    const gateway = createClient({ url, key: key || undefined, attempts });
    warn(new URL(url));
    return gateway;
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
};
