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
export const ATTEMPTS = 3;
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

const keyOf = async (keyFile: string | undefined): Promise<string | undefined> => {
  if (keyFile === undefined) return environment['HPC_GATEWAY_KEY'] || undefined;
  const key = await readSecret(keyFile);
  if (key === '') throw new UsageError(`${keyFile} has no key in it.`);
  return key;
};

/** Once for each command: a key file that is a pipe is read once only. @returns makes clients of the same gateway @throws UsageError */
export const connection = async ({ url: given, keyFile }: GatewayOptions): Promise<(attempts: number) => GatewayClient> => {
  checkVariables();
  const key = await keyOf(keyFile);
  const url = given ?? (environment['HPC_GATEWAY_URL'] || DEFAULT_URL);
  const clientOf = (attempts: number): GatewayClient => createClient({ url, key, attempts });
  try {
    clientOf(ATTEMPTS);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
  warn(new URL(url));
  return clientOf;
};

/** @throws UsageError */
export const connect = async (options: GatewayOptions, attempts = ATTEMPTS): Promise<GatewayClient> =>
  (await connection(options))(attempts);
