import { createHash, createHmac } from 'node:crypto';
import { type Answer, send } from './http.js';

/** A client of its own, written from the vendor's pages; it shares nothing with the simulator that it tests. */
export interface Keys {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly zone: string;
}

export interface Options {
  readonly at?: Date;
  readonly zone?: string;
  /** Name of the time parameter. */
  readonly timeName?: string;
  /** How often the signature is percent-encoded. */
  readonly encodings?: 1 | 2;
  readonly signedSlash?: '/' | '';
  readonly urlSlash?: '/' | '';
  readonly omit?: string;
  readonly extra?: Readonly<Record<string, string>>;
  readonly spoil?: (request: { url: string; headers: Record<string, string>; body: string }) => void;
  readonly timeoutMs?: number;
}

export interface Reply extends Answer {
  readonly json: Record<string, unknown>;
  readonly code: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

const HEX = '0123456789ABCDEF';
const PLAIN = /[A-Za-z0-9\-_.~]/;
const encode = (text: string) =>
  Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const char = String.fromCharCode(byte);
    return PLAIN.test(char) ? char : `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
  }).join('');

const call = async (
  keys: Keys,
  method: string,
  path: string,
  params: Readonly<Record<string, string>>,
  body: string,
  options: Options,
) => {
  const { at = new Date(), timeName = 'timestamp', encodings = 2, signedSlash = '/', urlSlash = '' } = options;
  const all: Record<string, string> = {
    ...params,
    access_key_id: keys.accessKeyId,
    signature_method: 'HmacSHA256',
    signature_version: '1',
    version: '1',
    zone: options.zone ?? keys.zone,
    [timeName]: `${at.toISOString().slice(0, 19)}Z`,
    ...options.extra,
  };
  if (options.omit !== undefined) delete all[options.omit];
  const query = Object.keys(all)
    .sort()
    .map((name) => `${encode(name)}=${encode(all[name] ?? '')}`)
    .join('&');
  const md5 = createHash('md5').update(body).digest('hex');
  const text = `${method}\n/api${path}${signedSlash}\n${query}\n${md5}`;
  const raw = createHmac('sha256', keys.secretAccessKey).update(text).digest('base64');
  const signature = encodings === 2 ? encode(encode(raw)) : encode(raw);
  const request = {
    url: `${keys.endpoint}${path}${urlSlash}?${query}&signature=${signature}`,
    headers: method === 'POST' ? { 'content-type': 'application/json' } : ({} as Record<string, string>),
    body,
  };
  options.spoil?.(request);
  const answer = await send({ method, ...request, ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }) });
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(answer.text);
  } catch {
    // HTML and cut bodies are looked at as text.
  }
  return { ...answer, json, code: typeof json['ret_code'] === 'number' ? json['ret_code'] : null };
};

export const get = (
  keys: Keys,
  path: string,
  params: Readonly<Record<string, string>> = {},
  options: Options = {},
): Promise<Reply> => call(keys, 'GET', path, params, '', options);

export const post = (keys: Keys, path: string, fields: Fields = {}, options: Options = {}): Promise<Reply> =>
  call(keys, 'POST', path, {}, JSON.stringify({ zone: keys.zone, ...fields }), options);

export interface UserRow {
  readonly username: string;
  readonly role: string;
  readonly uid_number: string | number;
  readonly gid_number: string | number;
  readonly hpcuser_id: string;
  readonly mod: string | null;
}

export const usersOf = (reply: Reply): UserRow[] => reply.json['users_set'] as UserRow[];

/** Follows a job as the vendor's pages say, until it is over. */
export const finishJob = async (keys: Keys, jobId: unknown): Promise<string> => {
  for (let round = 0; round < 100; round += 1) {
    const reply = await get(keys, '/operation', { job_ids: String(jobId) });
    const [job] = reply.json['job_set'] as { status: string }[];
    if (job !== undefined && job.status !== 'pending') return job.status;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return 'pending';
};
