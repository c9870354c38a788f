import type { Reply, Shape } from '../kit/index.js';
import { upperUuid } from '../kit/random.js';
import { spoilRow } from '../kit/rows.js';
import type { ErrorFacts } from './errors.js';
import type { EhpcCall } from './urls.js';

type Fields = Readonly<Record<string, unknown>>;

const JSON_TYPE = 'application/json;charset=utf-8';
/** Exactly this spelling is what the official runtime parses (6a). */
const XML_TYPE = 'text/xml;charset=utf-8';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
export const escapeXml = (text: string) => text.replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);

const xmlOf = (name: string, value: unknown): string => {
  if (Array.isArray(value)) return value.map((item) => xmlOf(name, item)).join('');
  if (typeof value !== 'object' || value === null) return `<${name}>${escapeXml(String(value ?? ''))}</${name}>`;
  const children = Object.entries(value).map(([key, item]) => xmlOf(key, item));
  return `<${name}>${children.join('')}</${name}>`;
};

const render = (call: EhpcCall, root: string, fields: Fields) =>
  call.format === 'JSON'
    ? { contentType: JSON_TYPE, body: JSON.stringify(fields) }
    : { contentType: XML_TYPE, body: `<?xml version="1.0" encoding="UTF-8"?>${xmlOf(root, fields)}` };

export const success = (call: EhpcCall, fields: Fields): Reply => ({
  status: 200,
  code: 'OK',
  ...render(call, `${call.action}Response`, { RequestId: upperUuid(), ...fields }),
});

/** 6a: the error envelope. */
export const failure = (
  call: EhpcCall,
  error: ErrorFacts,
  hostId: string,
  headers: Readonly<Record<string, string>> = {},
): Reply => {
  const RequestId = upperUuid();
  const Recommend = `https://api.alibabacloud.com/troubleshoot?q=${error.code}&product=EHPC&requestId=${RequestId}`;
  const fields = { RequestId, HostId: hostId, Code: error.code, Message: error.message, Recommend, ...error.extra };
  return { status: error.status, code: error.code, headers, ...render(call, 'Error', fields) };
};

const LISTS = ['Users', 'Clusters'];

const NAMES = ['Name', 'Id'];

/** Around the rows there may be another object. */
const withRows = (list: unknown, change: (rows: readonly unknown[]) => unknown): unknown => {
  if (Array.isArray(list)) return change(list);
  const [[key, rows] = ['UserInfo', []]] = Object.entries((list ?? {}) as Fields);
  return { [key]: change(rows as readonly unknown[]) };
};

const spoil = (rows: readonly unknown[], shape: Shape): unknown => {
  if (shape === 'object') return Object.fromEntries(rows.map((row, at) => [`row${at}`, row]));
  return spoilRow(rows, shape, NAMES) ?? rows.map((row) => String((row as Fields)['Name'] ?? 'row'));
};

/** Valid JSON of the wrong shape. */
export const corrupt = (reply: Reply, shape: Shape): Reply => {
  if (shape === 'array') return { ...reply, body: '[]' };
  if (shape === 'null') return { ...reply, body: 'null' };
  const fields: Record<string, unknown> = reply.contentType === JSON_TYPE ? JSON.parse(reply.body) : {};
  const list = LISTS.find((name) => name in fields);
  if (list === undefined) return { ...reply, body: shape === 'missing' ? '{}' : '["OK"]' };
  if (shape === 'missing') delete fields[list];
  else fields[list] = withRows(fields[list], (rows) => spoil(rows, shape));
  return { ...reply, body: JSON.stringify(fields) };
};
