/** Standard error, for the log. */
import { type DestinationStream, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Of lines that wait since they cannot be written; more are dropped. */
const MAX_WAITING_CHARACTERS = 1_048_576;
/** Lines are written together: once so much waits, and so often at least. */
const TOGETHER_CHARACTERS = 8_192;
const FLUSH_MS = 50;
/** Lines that can wait so long: `debug` and `info`. */
const CALM = /^\{"level":[123]0\b/;

/**
 * Where it cannot be written, on a disk that is full or to a reader that is gone, the gateway serves on without a log, and with one as soon as
 * it can.
 */
export const openLogDestination = (format: 'json' | 'pretty'): DestinationStream => {
  const destination = pino.destination({
    dest: 2,
    minLength: TOGETHER_CHARACTERS,
    periodicFlush: FLUSH_MS,
    maxLength: MAX_WAITING_CHARACTERS,
  });
  let isFailing = false;
  // Without a listener, such a failure would end the process.
  destination.on('error', () => {
    isFailing = true;
  });
  destination.on('write', () => {
    isFailing = false;
  });
  // What waits is written at the exit, however often that fails: the process would never end.
  process.prependListener('exit', () => {
    if (isFailing) destination.destroy();
  });
  const write = (line: string, shown = line): void => {
    destination.write(shown);
    if (!CALM.test(line)) destination.flush();
  };
  if (format === 'json') return { write };
  const pretty = prettyFactory({
    colorize: process.stderr.isTTY ?? false,
    translateTime: 'SYS:standard',
    ignore: 'pid,hostname',
  });
  return { write: (line) => write(line, pretty(line)) };
};
