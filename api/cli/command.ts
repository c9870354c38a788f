/** What the program does beside serving. */
import { parseArgs } from 'node:util';
import { hashOf, newKey } from '../../src/callers/keys.js';
import { ID_PATTERN } from '../../src/config/patterns.js';
import { didYouMean } from '../../src/nearest.js';

/** A command line that cannot be understood; the message says what to change. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const COMMANDS = ['key new'];

const USAGE = `Without arguments the gateway serves; HPC_GATEWAY_CONFIG names its configuration, HOST and PORT override it.
Commands:
  hpc-gateway key new --id NAME   makes an API key, and prints it with what the configuration needs`;

/** The values of these options, all of which are needed. @throws UsageError */
const optionsOf = <Name extends string>(args: readonly string[], names: readonly Name[]): Readonly<Record<Name, string>> => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      strict: true,
    });
    const missing = names.filter((name) => values[name] === undefined || values[name] === '');
    if (missing.length > 0) throw new UsageError(`The option --${missing.join(' and --')} is missing.\n${USAGE}`);
    return values as Readonly<Record<Name, string>>;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
};

const keyNew = (args: readonly string[]): string => {
  const { id } = optionsOf(args, ['id']);
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

/** @returns what to print; undefined where the program is to serve @throws UsageError */
export const runCommand = (args: readonly string[]): string | undefined => {
  if (args.length === 0) return undefined;
  const [group = '', action = '', ...rest] = args;
  if (group === '--help' || group === '-h' || group === 'help') return `${USAGE}\n`;
  const name = `${group} ${action}`;
  if (name === 'key new') return keyNew(rest);
  throw new UsageError(`There is no command ${[group, action].join(' ').trim()}.${didYouMean(name, COMMANDS)}\n${USAGE}`);
};
