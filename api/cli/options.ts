/** Options that several commands have. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_URL } from './connect-defaults.js';

export const ROLES = ['member', 'admin', 'owner'];
export const STATES = ['pending', 'running', 'succeeded', 'partially_succeeded', 'unknown', 'failed', 'cancelled'];

const needed = new WeakSet<Option>();

/** An option that has to be given. Not by commander itself, which would complain of it first where it was only mistyped. */
export const neededOption = (flags: string, description: string): Option => {
  const option = new Option(flags, `${description} (required)`);
  needed.add(option);
  return option;
};

/** Ends the process where one of them is missing. */
export const checkNeeded = (command: Command): void => {
  const missing = command.options.find(
    (option) => needed.has(option) && command.getOptionValue(option.attributeName()) === undefined,
  );
  if (missing) command.error(`error: required option '${missing.flags}' not specified`);
};

export const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 1_000_000)
    throw new InvalidArgumentError('It has to be a whole number from 1 to 1,000,000.');
  return value;
};

/** Of a user, a cluster or an operation: a segment of a path that is no step in it. */
export const aName = (text: string): string => {
  if (/^\.{0,2}$/.test(text)) throw new InvalidArgumentError('It has to be a name.');
  return text;
};

export const atGateway = (command: Command): Command =>
  command
    .option('--url <url>', `the gateway; HPC_GATEWAY_URL, or ${DEFAULT_URL}`)
    .option('--key-file <file>', 'a file with the API key; HPC_GATEWAY_KEY has the key itself')
    .option('--json', 'write one JSON value to standard output');

export const onCluster = (command: Command): Command =>
  atGateway(command.addOption(neededOption('-c, --cluster <id>', 'the cluster').argParser(aName)));

export const withPassword = (command: Command): Command =>
  command
    .addOption(
      new Option('--password-file <file>', 'take the password from a file, not from the terminal').conflicts('passwordStdin'),
    )
    .option('--password-stdin', 'take the password from standard input');

export const roleOption = (text: string): Option => new Option('--role <role>', text).choices(ROLES);

export const lines = (): Option => new Option('--ndjson', 'write one JSON value a line').conflicts('json');
