/** Request bodies: JSON in UTF-8, by the document's schemas. */
import express, { type Request, type RequestHandler } from 'express';
import { asGatewayError, GatewayError } from '../../src/errors.js';
import { type CheckedOperation, CSV } from './contract.js';
import { readCsv } from './csv.js';
import { checkShape } from './shape.js';
import { isEncoding, unpack } from './unpack.js';
import { type Check, invalidRequest, refuse } from './validation.js';

const MAX_BODY_BYTES = 1_048_576;

const mediaType = (request: Request): { readonly type: string; readonly charset: string | undefined } => {
  const header = (request.get('content-type') ?? '').toLowerCase();
  return { type: header.split(';')[0]?.trim() ?? '', charset: /;\s*charset="?([^";\s]+)/.exec(header)?.[1] };
};

/** Enough to hold an ASCII character, of a line of names or of JSON. */
const HEAD_BYTES = 64;

const UTF_16_MARKS: readonly (readonly number[])[] = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/** Spreadsheets write other encodings by default. */
const EXPORT =
  'in Excel, save the file as "CSV UTF-8 (Comma delimited)"; in LibreOffice, choose the character set Unicode (UTF-8)';

const KEEP_LINES = 'curl keeps the lines of a file with --data-binary, not with -d';

const decode = (body: Buffer, help = ''): string => {
  // Half of each ASCII character is zero there; a text in UTF-8 has none.
  const isUtf16 =
    UTF_16_MARKS.some((mark) => mark.every((byte, at) => body[at] === byte)) || body.subarray(0, HEAD_BYTES).includes(0);
  if (isUtf16) refuse(`is in UTF-16, not in UTF-8${help}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return refuse(`is not valid UTF-8${help}`);
  }
};

/** Checks the body that a CSV says; a mistake in an item names its line, too. */
const checkCsv = (check: Check, body: Buffer): unknown => {
  const csv = readCsv(decode(body, `; ${EXPORT}`), `; ${KEEP_LINES}`);
  try {
    return check(csv.body);
  } catch (thrown) {
    const { errors } = asGatewayError(thrown);
    if (!errors) throw thrown;
    const lineOf = (pointer: string): number | undefined => csv.lines[Number(/^\/items\/(\d+)/.exec(pointer)?.[1])];
    throw invalidRequest(
      errors.map(({ pointer, message }) => {
        const line = lineOf(pointer);
        return { pointer, message: line === undefined ? message : `${message} (line ${line})` };
      }),
    );
  }
};

/** The parser's own messages quote the body, which may hold a password. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    return refuse(position === undefined ? 'is not valid JSON' : `is not valid JSON, at position ${position}`);
  }
};

const unsupported = (request: Request, types: readonly string[], message: string): GatewayError => {
  request.res?.set('Accept', types.join(', '));
  return new GatewayError('unsupported_media_type', message);
};

export const UNKNOWN_ENCODING = 'The Content-Encoding of the body is not taken; send it plain, or as gzip, deflate or br.';

const NOT_TAKEN = 'is not taken by this operation';

const readNothing = express.raw({ type: () => true, limit: 0, inflate: false });

/** For operations without a body: one that comes is refused before it is read. Proxies send empty ones in no chunks. */
const refuseBody: RequestHandler = (request, response, next) => {
  if (Number(request.headers['content-length'] ?? 0) > 0) refuse(NOT_TAKEN);
  if (request.headers['transfer-encoding'] === undefined) {
    next();
    return;
  }
  // Of nothing, there is none.
  delete request.headers['content-encoding'];
  readNothing(request, response, (failure: unknown) => next(failure && invalidRequest([{ pointer: '', message: NOT_TAKEN }])));
};

/** ASCII is a part of it. */
const UTF_8 = /^(utf-?8|us-ascii)$/;

const readRaw = express.raw({ type: () => true, limit: MAX_BODY_BYTES });

/** Reads a body as it comes, and unpacks it. */
const readPacked: RequestHandler = (request, response, next) => {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') {
    readRaw(request, response, next);
    return;
  }
  if (!isEncoding(encoding)) {
    next(new GatewayError('unsupported_media_type', UNKNOWN_ENCODING));
    return;
  }
  delete request.headers['content-encoding'];
  readRaw(request, response, async (failure: unknown) => {
    if (failure !== undefined || !Buffer.isBuffer(request.body)) return next(failure);
    try {
      request.body = await unpack(request.body, encoding, MAX_BODY_BYTES);
      next();
    } catch (error) {
      next(error);
    }
  });
};

/** How much of a body there can be, unpacked: what the request says, as far as it can be relied on. */
export const bodyBytes = ({ checkBody }: CheckedOperation, { headers }: Request): number => {
  if (checkBody.size === 0) return 0;
  const given = headers['content-encoding'] === undefined ? headers['content-length'] : undefined;
  return given === undefined ? MAX_BODY_BYTES : Math.min(Number(given), MAX_BODY_BYTES);
};

/** The checked body of a request that `bodyParser` has read; undefined where the operation has none. */
export const readBody = ({ checkBody }: CheckedOperation, request: Request): unknown => {
  if (checkBody.size === 0) return undefined;
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) return refuse('is missing');
  const types = [...checkBody.keys()];
  const { type, charset } = mediaType(request);
  const check = checkBody.get(type);
  if (check === undefined) throw unsupported(request, types, `Send the body as ${types.join(' or ')}.`);
  if (charset !== undefined && !UTF_8.test(charset))
    throw unsupported(request, types, `Send the body in UTF-8${type === CSV ? `; ${EXPORT}` : ''}.`);
  if (type === CSV) return checkCsv(check, body);
  const text = decode(body);
  checkShape(body);
  return check(parseJson(text));
};

/** What goes before the handler of an operation. */
export const bodyParser = ({ checkBody }: CheckedOperation): RequestHandler => (checkBody.size > 0 ? readPacked : refuseBody);
