/** Standard error, for the log. */
import { pino } from 'pino';

/** Of lines that wait since they cannot be written; more are dropped. */
const MAX_WAITING_CHARACTERS = 1_048_576;

/**
 * Where it cannot be written, on a disk that is full or to a reader that is gone, the gateway serves on without a log, and with one as soon as
 * it can.
 */
export const openLogDestination = () => {
  const destination = pino.destination({ dest: 2, maxLength: MAX_WAITING_CHARACTERS });
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
  return destination;
};
