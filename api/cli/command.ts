/** What the program does beside serving. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { hashOf, newKey } from '../../src/callers/keys.js';
import { ID_PATTERN } from '../../src/config/patterns.js';
import { didYouMean } from '../../src/nearest.js';
import { verifyAudit } from './audit.js';
import { copyStore } from './store.js';
import { UsageError } from './usage.js';

const COMMANDS = ['key new', 'audit verify', 'store copy'];

const USAGE = `Without arguments the gateway serves; HPC_GATEWAY_CONFIG names its configuration, HOST and PORT override it.
Commands:
  hpc-gateway key new --id NAME          makes an API key, and prints it with what the configuration needs
  hpc-gateway audit verify [--log FILE]  checks that the audit trail is whole, against the ends of chains in logs of the gateway, too
  hpc-gateway store copy FOLDER          copies the LMDB file of a gateway, which may be running, into the folder`;

type Options = NonNullable<ParseArgsConfig['options']>;

/** @throws UsageError */
const parse = <Known extends Options>(args: readonly string[], options: Known) => {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
};

const keyNew = (args: readonly string[]): string => {
  const { id } = parse(args, { id: { type: 'string' } });
  if (!id) throw new UsageError(`The option --id is missing.\n${USAGE}`);
  if (!new RegExp(ID_PATTERN).test(id))
    throw new UsageError(
      'An id has letters, digits, dots, dashes and underscores, at most 128, and begins with a letter or digit.',
    );
  const key = newKey();
  return `The key, which is shown only now; give it to ${id}:

  ${key}

Its hash is for the configuration. Grant what ${id} needs (docs/configuration.md, "Callers"):

auth:
  callers:
    - id: ${id}
      keys: [ { hash: "${hashOf(key)}" } ]
      rights: [ { clusters: ["*"], verbs: [read] } ]
`;
};

/** What a command came to: text for standard output, and the exit code. */
export interface Ran {
  readonly text: string;
  readonly code: number;
}

/** @returns undefined where the program is to serve @throws UsageError, ConfigError */
export const runCommand = async (args: readonly string[]): Promise<Ran | undefined> => {
  if (args.length === 0) return undefined;
  const [group = '', action = '', ...rest] = args;
  if (group === '--help' || group === '-h' || group === 'help') return { text: `${USAGE}\n`, code: 0 };
  const name = `${group} ${action}`;
  if (name === 'key new') return { text: keyNew(rest), code: 0 };
  if (name === 'audit verify') {
    const { log = [] } = parse(rest, { log: { type: 'string', multiple: true } });
    const { text, isWhole } = await verifyAudit(log);
    return { text, code: isWhole ? 0 : 1 };
  }
  if (name === 'store copy') {
    const [folder, ...others] = rest;
    if (!folder || others.length > 0 || folder.startsWith('-')) throw new UsageError(`Name one folder.\n${USAGE}`);
    return { text: await copyStore(folder), code: 0 };
  }
  throw new UsageError(`There is no command ${[group, action].join(' ').trim()}.${didYouMean(name, COMMANDS)}\n${USAGE}`);
};
