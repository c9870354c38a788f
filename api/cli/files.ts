/** Small files that a command is given. */
import { open } from 'node:fs/promises';
import { UsageError } from './usage.js';

/** Far more than a key or a password has. */
const MAX_SECRET_BYTES = 65_536;

/** @throws UsageError, which does not quote the content */
export const readSmall = async (path: string, maxBytes: number): Promise<Buffer> => {
  try {
    const file = await open(path);
    try {
      // A device or a pipe has no size to look at before, and gives what is there each time.
      const buffer = Buffer.alloc(maxBytes + 1);
      let bytes = 0;
      while (bytes < buffer.length) {
        const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes, null);
        if (bytesRead === 0) return buffer.subarray(0, bytes);
        bytes += bytesRead;
      }
      throw new UsageError(`${path} has more than ${maxBytes.toLocaleString('en')} bytes.`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
};

/** Its last line end belongs to the file. */
const withoutLineEnd = (content: Buffer): string => content.toString('utf8').replace(/\r?\n$/, '');

export const readSecret = async (path: string): Promise<string> => withoutLineEnd(await readSmall(path, MAX_SECRET_BYTES));

export const readSecretFromInput = async (): Promise<string> => {
  if (process.stdin.isTTY)
    throw new UsageError('Standard input is a terminal, which would show the password: leave out --password-stdin to be asked.');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    bytes += (part as Buffer).length;
    if (bytes > MAX_SECRET_BYTES) throw new UsageError('Standard input is too long for a password.');
    parts.push(part as Buffer);
  }
  return withoutLineEnd(Buffer.concat(parts));
};
