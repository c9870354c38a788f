/** Records of the audit trail as lines of JSON, for those who collect them. */
import { once } from 'node:events';
import { pino } from 'pino';

export interface AuditStream {
  write(record: object): void;
  close(): Promise<void>;
}

const STANDARD_OUTPUT = '-';

/** @param target a file, which is appended to, or `-` @throws where the file cannot be opened */
export const openAuditStream = (target: string): AuditStream => {
  const destination = pino.destination({
    dest: target === STANDARD_OUTPUT ? 1 : target,
    append: true,
    mkdir: true,
    sync: false,
    mode: 0o600,
  });
  return {
    write: (record) => void destination.write(`${JSON.stringify(record)}\n`),
    close: async () => {
      const closed = once(destination, 'close');
      destination.end();
      await closed;
    },
  };
};
