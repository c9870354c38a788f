/** Compressed bodies: unpacked after they have arrived, to a bounded size, a few at a time. Small ones can become large ones. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { bulkhead } from 'cockatiel';
import { GatewayError } from '../../src/errors.js';
import { refuse } from './validation.js';

type Unpack = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

const ENCODINGS: Readonly<Record<string, Unpack>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify(
    brotliDecompress as (body: Buffer, options: ZlibOptions, done: (error: Error | null, body: Buffer) => void) => void,
  ),
};

/** As many as there are threads for it: each takes memory while it runs. */
const AT_ONCE = 4;
const MAX_WAITING = 10_000;
const slots = bulkhead(AT_ONCE, MAX_WAITING);

/**
 * Whether a stream of brotli begins with a window of 8 or 16 MiB (RFC 7932, section 9.1), which is taken whatever the size of the body.
 * Encoders have 4 MiB by default.
 */
const hasWideWindow = ([first = 0]: Buffer): boolean => (first & 0b1101) === 0b1101;

export const isEncoding = (encoding: string): boolean => Object.hasOwn(ENCODINGS, encoding);

/** @param encoding a known one @throws payload_too_large, invalid_request */
export const unpack = (body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> =>
  slots.execute(async () => {
    if (encoding === 'br' && hasWideWindow(body))
      refuse('is br with a window of more than 4 MiB; compress it with a smaller one, or as gzip');
    try {
      return await (ENCODINGS[encoding] as Unpack)(body, { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new GatewayError('payload_too_large', 'The body is over 1 MiB.');
      return refuse(`is not valid ${encoding}`);
    }
  });
