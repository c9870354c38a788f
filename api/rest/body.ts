/** Request bodies: JSON in UTF-8, by the document's schemas. */
import express, { type Request, type RequestHandler } from 'express';
import { GatewayError } from '../../src/errors.js';
import { type CheckedOperation, CSV } from './contract.js';
import { readCsv } from './csv.js';
import { invalidRequest } from './validation.js';

const LARGEST_BODY = '1mb';

const mediaType = (request: Request): { readonly type: string; readonly charset: string | undefined } => {
  const header = (request.get('content-type') ?? '').toLowerCase();
  return { type: header.split(';')[0]?.trim() ?? '', charset: /;\s*charset="?([^";\s]+)/.exec(header)?.[1] };
};

const refuse = (message: string): never => {
  throw invalidRequest([{ pointer: '', message }]);
};

// The parsers' own messages quote the body, which may hold a password.

const decode = (body: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return refuse('is not valid UTF-8');
  }
};

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

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** For operations without a body: one that comes is refused before it is read. */
const refuseBody: RequestHandler = (request, _, next) => {
  if (hasBody(request)) throw invalidRequest([{ pointer: '', message: 'is not taken by this operation' }]);
  next();
};

/** ASCII is a part of it. */
const UTF_8 = /^(utf-?8|us-ascii)$/;

const readRaw = express.raw({ type: () => true, limit: LARGEST_BODY });

/** The checked body of a request that `bodyParser` has read; undefined where the operation has none. */
export const readBody = ({ checkBody }: CheckedOperation, request: Request): unknown => {
  if (checkBody.size === 0) return undefined;
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body) || body.length === 0) throw invalidRequest([{ pointer: '', message: 'is missing' }]);
  const types = [...checkBody.keys()];
  const { type, charset } = mediaType(request);
  const check = checkBody.get(type);
  if (check === undefined) throw unsupported(request, types, `Send the body as ${types.join(' or ')}.`);
  if (charset !== undefined && !UTF_8.test(charset)) throw unsupported(request, types, 'Send the body in UTF-8.');
  return check(type === CSV ? readCsv(decode(body)) : parseJson(decode(body)));
};

/** What goes before the handler of an operation. */
export const bodyParser = ({ checkBody }: CheckedOperation): RequestHandler => (checkBody.size > 0 ? readRaw : refuseBody);
