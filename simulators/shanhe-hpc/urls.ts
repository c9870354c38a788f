import type { CallFacts, Incoming } from '../kit/index.js';

export interface ShanheCall extends CallFacts {
  readonly request: Incoming;
  /** Path under `/api` without trailing slash: '/user/addUser'. */
  readonly action: string;
  /** Decoded once, as an HTTP framework does. */
  readonly query: ReadonlyMap<string, string>;
  /** The JSON body of a POST; null when it is not an object. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

const COMMON = new Set([
  'access_key_id',
  'timestamp',
  'time_stamp',
  'signature_method',
  'signature_version',
  'version',
  'signature',
]);
const SECRET = new Set(['password', 'new_password']);
const PREFIX = '/api';

const decode = (text: string): string => {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
};

const decodeQuery = (raw: string): Map<string, string> => {
  const parts = raw.split('&').filter((part) => part !== '');
  return new Map(
    parts.map((part) => {
      const mark = part.indexOf('=');
      return mark < 0 ? [decode(part), ''] : [decode(part.slice(0, mark)), decode(part.slice(mark + 1))];
    }),
  );
};

const jsonObject = (body: Buffer): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
};

/** Both URL forms, with and without trailing slash, mean the same action (8.4). */
const actionOf = (path: string) => (path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length).replace(/(.)\/$/, '$1') : path);

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

export const readCall = (request: Incoming): ShanheCall => {
  const query = decodeQuery(request.rawQuery);
  const body = request.method === 'POST' ? jsonObject(request.body) : null;
  const fields = [...query, ...Object.entries(body ?? {}).map(([name, value]): [string, string] => [name, asText(value)])];
  const params = Object.fromEntries(fields.filter(([name]) => !COMMON.has(name) && !SECRET.has(name)));
  return {
    action: actionOf(request.path),
    method: request.method,
    clusterId: params['cluster_id'] ?? null,
    params,
    usernames: params['username'] === undefined ? [] : [params['username']],
    scheme: query.has('signature') ? 'HmacSHA256' : null,
    request,
    query,
    body,
  };
};
