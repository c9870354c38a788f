import type { CallFacts, Incoming } from '../kit/index.js';
import { decodePairs, type Pair } from './canonical.js';
import { readEntries } from './entries.js';

export type Scheme = 'acs3' | 'rpc-v1';

export interface EhpcCall extends CallFacts {
  readonly scheme: Scheme;
  readonly version: string;
  readonly format: 'JSON' | 'XML';
  readonly request: Incoming;
  readonly query: readonly Pair[];
  /** Query and form body together. */
  readonly pairs: readonly Pair[];
  /** Every parameter, secrets included; `params` is the part that may be logged. */
  readonly values: ReadonlyMap<string, string>;
}

const COMMON = new Set([
  'Action',
  'Version',
  'Format',
  'AccessKeyId',
  'SignatureMethod',
  'SignatureVersion',
  'SignatureNonce',
  'SignatureType',
  'Timestamp',
  'SecurityToken',
  'Signature',
]);
const FORM = 'application/x-www-form-urlencoded';

const isSecret = (name: string) => name.endsWith('Password') || name === 'User' || name === 'Users';

export const headerOf = (request: Incoming, name: string): string => request.headers[name] ?? '';

/** ACS3 is told by its Authorization header; everything else is taken for RPC-v1 (section 2). */
export const readCall = (request: Incoming): EhpcCall => {
  const scheme: Scheme = headerOf(request, 'authorization').startsWith('ACS3-HMAC-SHA256') ? 'acs3' : 'rpc-v1';
  const query = decodePairs(request.rawQuery);
  const isForm = headerOf(request, 'content-type').toLowerCase().startsWith(FORM);
  const pairs = isForm ? [...query, ...decodePairs(request.body.toString('utf8'))] : query;
  const values = new Map(pairs);
  const common = (parameter: string, header: string) =>
    scheme === 'acs3' ? headerOf(request, header) : (values.get(parameter) ?? '');
  const operation = pairs.filter(([name]) => !COMMON.has(name));
  // RPC-v1 answers XML unless told otherwise (2a, D-V2); ACS3 clients get JSON.
  const format = scheme === 'acs3' || values.get('Format')?.toUpperCase() === 'JSON' ? 'JSON' : 'XML';
  return {
    scheme,
    action: common('Action', 'x-acs-action'),
    version: common('Version', 'x-acs-version'),
    format,
    method: request.method,
    clusterId: values.get('ClusterId') ?? null,
    params: Object.fromEntries(operation.filter(([name]) => !isSecret(name))),
    usernames: readEntries(values).flatMap((entry) => entry.name ?? []),
    request,
    query,
    pairs,
    values,
  };
};
