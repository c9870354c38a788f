/** Records of the audit trail as lines of JSON, for those who collect them. */
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, errnoOf } from '../src/config/error.js';

export interface AuditStream {
  /** Resolves when the lines are written. @throws where they are not, or not in time: they may be there, or a part of them */
  write(records: readonly object[]): Promise<void>;
}

const STANDARD_OUTPUT = '-';
const MODE = 0o600;
/** What takes the lines may be busy for longer; then they are written again later. */
const MAX_WRITE_MS = 5_000;

type Write = (text: string) => Promise<void>;

const writeOut: Write = (text) =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });

/** Each write opens the file, which may have been moved away by what rotates it. @throws ConfigError where it cannot be opened */
const appendTo = (path: string): Write => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A pipe without a reader is an error, and nothing to wait for.
    closeSync(openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, MODE));
  } catch (error) {
    throw new ConfigError([`audit.stream: cannot be written (${errnoOf(error)})`]);
  }
  return (text) => appendFile(path, text, { mode: MODE });
};

const tooSlow = (): Error => new Error('The stream of the audit trail does not take lines now.');

/** @throws an error where it takes too long; what is written then is not waited for */
const withinTime = async (work: Promise<void>): Promise<void> => {
  work.catch(() => undefined);
  const over = new AbortController();
  const late = sleep(MAX_WRITE_MS, undefined, { signal: over.signal }).then(() => Promise.reject(tooSlow()));
  late.catch(() => undefined);
  await Promise.race([work, late]).finally(() => over.abort());
};

const createStream = (append: Write): AuditStream => {
  let isBusy = false;
  /** A write that failed may have left a part of a line. */
  let isCut = false;

  const writeAll = async (lines: string): Promise<void> => {
    isBusy = true;
    try {
      await append(isCut ? `\n${lines}` : lines);
      isCut = false;
    } catch (error) {
      isCut = true;
      throw error;
    } finally {
      isBusy = false;
    }
  };

  return {
    write: async (records) => {
      if (isBusy) throw tooSlow();
      await withinTime(writeAll(records.map((record) => `${JSON.stringify(record)}\n`).join('')));
    },
  };
};

/** @param target a file, which is appended to, or `-` @throws ConfigError where the file cannot be opened */
export const openAuditStream = (target: string): AuditStream => {
  if (target !== STANDARD_OUTPUT) return createStream(appendTo(target));
  // Each write reports its own failure; without a listener, the first one would end the process.
  process.stdout.on('error', () => undefined);
  return createStream(writeOut);
};
