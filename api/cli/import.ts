/** `hpc-gateway import FILE`: a CSV is checked, shown, and done as one operation. */
import { type BatchRequest, type BatchResult, type GatewayClient, GatewayProblem, type Operation } from '@hpc-gateway/client';
import { GatewayError } from '../../src/errors.js';
import { readCsv } from '../rest/csv.js';
import { confirm } from './ask.js';
import { ATTEMPTS, connection, type GatewayOptions, PATIENT_ATTEMPTS } from './connect.js';
import { EXIT } from './exit.js';
import { readSmall } from './files.js';
import { follow } from './operations.js';
import { say, visible, writeJson } from './output.js';
import { isDone, saySummary, writeResults } from './results.js';
import { UsageError } from './usage.js';

/** As much as the gateway takes. */
const MAX_FILE_BYTES = 1_048_576;

/** Of one batch. */
const MAX_ITEMS = 1_000;

export interface ImportOptions extends GatewayOptions {
  readonly cluster: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly failed?: true;
  readonly stopOnError?: true;
  readonly timeout: number;
}

const decode = (content: Buffer, file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new UsageError(`${file} is not in UTF-8. In Excel, save it as "CSV UTF-8 (Comma delimited)".`);
  }
};

interface Source {
  readonly items: BatchRequest['items'];
  /** In which line of the file an item ends. */
  lineOf(index: number): number;
}

const readItems = async (file: string): Promise<Source> => {
  const text = decode(await readSmall(file, MAX_FILE_BYTES), file);
  try {
    const { body, lines } = readCsv(text);
    if (body.items.length > MAX_ITEMS) throw new UsageError(`${file} has more than ${MAX_ITEMS} users: split it.`);
    return { items: body.items as BatchRequest['items'], lineOf: (index) => lines[index] ?? 0 };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new UsageError(`${file} ${error.errors?.[0]?.message ?? error.message}.`);
  }
};

/** What the gateway says about the whole file, by lines. */
const inLines = (error: unknown, file: string, { lineOf }: Source): unknown => {
  if (!(error instanceof GatewayProblem) || error.code !== 'invalid_request') return error;
  const lines = error.errors.map(({ pointer, message: given }) => {
    const message = visible(given);
    const [, index, member = ''] = /^\/items\/(\d+)\/?(.*)$/.exec(pointer) ?? [];
    return index === undefined
      ? `${visible(pointer) || 'The file'} ${message}`
      : `line ${lineOf(Number(index))}: ${visible(member)} ${message}`;
  });
  return new UsageError(`${file} cannot be imported:\n${lines.map((line) => `  ${line}`).join('\n')}`);
};

/** All of them, or with `--failed` those that are not done. */
const showResults = ({ results }: Pick<BatchResult, 'results'>, { lineOf }: Source, { failed }: ImportOptions): void => {
  const shown = failed ? results.filter((result) => !isDone(result)) : results;
  if (shown.length > 0) writeResults(shown, lineOf, 'LINE');
};

const isAllDone = ({ results }: Pick<BatchResult, 'results'>): boolean => results.every(isDone);

/** @returns undefined where the person does not want it */
const perform = async (
  checked: BatchResult,
  source: Source,
  clientOf: (attempts: number) => GatewayClient,
  { cluster, yes, stopOnError, timeout }: ImportOptions,
): Promise<Operation | undefined> => {
  const count = checked.results.filter(isDone).length;
  const question = `Import ${count} of ${checked.results.length} into ${cluster}?`;
  if (!yes && !(await confirm(question, '--yes (or --dry-run)'))) return undefined;
  const batch = { items: source.items, ...(stopOnError && { stopOnError }) };
  const { id } = await clientOf(ATTEMPTS).startOperation(cluster, batch);
  say(`Operation ${visible(id)}`);
  return follow(clientOf(PATIENT_ATTEMPTS), id, timeout);
};

export const importFile = async (file: string, options: ImportOptions): Promise<number> => {
  const { cluster, json, dryRun } = options;
  const source = await readItems(file);
  const clientOf = await connection(options);
  const checking = clientOf(ATTEMPTS).batch(cluster, { items: source.items, dryRun: true });
  const checked = await checking.catch((error: unknown) => {
    throw inLines(error, file, source);
  });
  const isWorthIt = checked.results.some(isDone);
  // Without a question, the results follow at once.
  const isShown = dryRun || !options.yes || !isWorthIt;
  if (!json && isShown) showResults(checked, source, options);
  saySummary(checked.summary, 'A dry run says');
  if (dryRun) {
    if (json) writeJson(checked);
    return isAllDone(checked) ? EXIT.done : EXIT.notDone;
  }
  if (!isWorthIt) {
    if (json) writeJson(checked);
    say('There is nothing to import.');
    return EXIT.notDone;
  }
  const operation = await perform(checked, source, clientOf, options);
  if (!operation) {
    say('Nothing was changed.');
    return EXIT.notDone;
  }
  if (json) writeJson(operation);
  else showResults(operation, source, options);
  saySummary(operation.summary, 'Done');
  return isAllDone(operation) && operation.state === 'succeeded' ? EXIT.done : EXIT.notDone;
};
