import { isIP } from 'node:net';
import { Ajv, type ErrorObject } from 'ajv';
import { nearest } from '../nearest.js';
import { isKey } from './key.js';
import { HEADER_PATTERN, ID_PATTERN } from './patterns.js';
import type { Path, Problem } from './problem.js';
import { isSecureUrl } from './urls.js';

const isEndpoint = (text: string): boolean => {
  if (!isSecureUrl(text)) return false;
  return !/[?#]/.test(text);
};

/** Whether it is valid percent-encoding. */
const isEncoded = (text: string): boolean => {
  try {
    return decodeURIComponent(text).length >= 0;
  } catch {
    return false;
  }
};

/** Of an HTTP proxy, with a user and a password where it needs them. */
const isProxy = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  const isPlain = pathname === '/' && search === '' && hash === '' && isEncoded(username) && isEncoded(password);
  return ['http:', 'https:'].includes(protocol) && isPlain;
};

const isPublicUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username, pathname } = new URL(text);
  const isPlain = search === '' && hash === '' && username === '' && /^[\w.~/-]*$/.test(pathname);
  return ['http:', 'https:'].includes(protocol) && isPlain;
};

/** An address, or a network as `10.0.0.0/8`. */
const isAddresses = (text: string): boolean => {
  const [address = '', bits] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return most > 0 && (bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most));
};

/** An id of a cluster in which `*` is any text. A few of them are enough, and more make matching slow. */
const isClusterPattern = (text: string): boolean => /^[A-Za-z0-9._*-]{1,128}$/.test(text) && text.split('*').length <= 4;

const isKeyHash = (text: string): boolean => /^sha256:[0-9a-fA-F]{64}$/.test(text);

/** A moment, with its zone. */
const isInstant = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));

const isJsonPointer = (text: string): boolean => /^(?:\/(?:[^~/]|~[01])*)+$/.test(text);

/** A name, or an address, without a port. */
const isHostName = (text: string): boolean =>
  /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(text) || /^\[[0-9a-fA-F:.]+\]$/.test(text);

/** As browsers write it: scheme, host and port. */
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text);

const isTimeZone = (text: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

const isRedisUrl = (text: string): boolean => URL.canParse(text) && ['redis:', 'rediss:'].includes(new URL(text).protocol);

const FORMAT_REASONS: Readonly<Record<string, string>> = {
  endpoint: 'must be an https URL without query (http is taken for loopback addresses only)',
  proxy: 'must be the URL of a proxy, such as http://proxy.example.com:3128; a % in its password is written %25',
  'public-url': 'must be the URL under which callers reach the gateway, such as https://hpc.example.org/hpc',
  addresses: 'must be an address or a network, such as 10.0.0.0/8',
  key: 'must be 32 bytes in base64; make one with: openssl rand -base64 32',
  'redis-url': 'must be a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0',
  'time-zone': 'must be a time zone such as UTC or Asia/Shanghai',
  'cluster-pattern': 'must be an id of a cluster, in which * is any text (at most three of them), such as jn-*',
  'key-hash': 'must be sha256: and 64 hexadecimal digits, as hpc-gateway key new --id NAME prints it',
  instant: 'must be a time with its zone, such as 2027-06-30T00:00:00Z',
  'https-url': 'must be an https URL (http is taken for loopback addresses only)',
  'json-pointer': 'must be a JSON pointer to a claim, such as /roles or /realm_access/roles',
  'host-name': 'must be the name of a host without scheme and port, such as gateway.internal',
  origin: 'must be an origin as browsers send it, such as https://portal.example.org',
};

const TYPE_WORDS: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'text; put it in quotes',
  object: 'a map of keys',
  array: 'a list',
};

const PATTERN_WORDS: Readonly<Record<string, string>> = {
  [ID_PATTERN]: 'must be letters, digits, dots, dashes and underscores, at most 128, and begin with a letter or digit',
  [HEADER_PATTERN]: 'must be the name of a header',
};

const ajv = new Ajv({
  allErrors: true,
  // So that an error shows the keys that there are.
  verbose: true,
  useDefaults: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  // Our own schemas are checked by a test; here this would make each start slower.
  meta: false,
  validateSchema: false,
});
ajv.addFormat('endpoint', isEndpoint);
ajv.addFormat('key', isKey);
ajv.addFormat('proxy', isProxy);
ajv.addFormat('public-url', isPublicUrl);
ajv.addFormat('addresses', isAddresses);
ajv.addFormat('redis-url', isRedisUrl);
ajv.addFormat('time-zone', isTimeZone);
ajv.addFormat('cluster-pattern', isClusterPattern);
ajv.addFormat('key-hash', isKeyHash);
ajv.addFormat('instant', isInstant);
ajv.addFormat('https-url', isSecureUrl);
ajv.addFormat('json-pointer', isJsonPointer);
ajv.addFormat('host-name', isHostName);
ajv.addFormat('origin', isOrigin);

const pathOf = (base: Path, instancePath: string, key?: string): Path => {
  const steps = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return [...base, ...steps, ...(key === undefined ? [] : [key])];
};

const keysOf = ({ parentSchema }: ErrorObject): string[] => Object.keys((parentSchema?.['properties'] ?? {}) as object);

const describe = (base: Path, error: ErrorObject, others: readonly string[]): Problem => {
  const { instancePath } = error;
  const params = error.params as Record<string, unknown>;
  const problem = (reason: string, key?: unknown): Problem => ({
    at: pathOf(base, instancePath, key === undefined ? undefined : String(key)),
    reason,
  });
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = [...keysOf(error), ...(instancePath === '' ? others : [])];
      const meant = nearest(key, known);
      return problem(`is not a known key${meant === undefined ? '' : `; did you mean ${meant}?`}`, key);
    }
    case 'required':
      return problem('is missing', params['missingProperty']);
    case 'enum':
      return problem(`must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`);
    case 'format':
      return problem(FORMAT_REASONS[String(params['format'])] ?? String(error.message));
    case 'type':
      return problem(`must be ${TYPE_WORDS[String(params['type'])] ?? params['type']}`);
    case 'pattern':
      return problem(PATTERN_WORDS[String(params['pattern'])] ?? String(error.message));
    case 'false schema':
      return problem('cannot be used together with the other keys here');
    case 'minProperties':
      return problem(`must name at least one${keysOf(error).length > 0 ? ` of ${keysOf(error).join(', ')}` : ''}`);
    case 'minLength':
      return problem('must not be empty');
    case 'minItems':
      return problem('must name at least one');
    case 'propertyNames':
      return problem('is not a fitting name; use letters, digits, dots, dashes and underscores', params['propertyName']);
    default:
      return problem(String(error.message));
  }
};

/** Checks a value and fills in defaults in place. @param others keys that are taken beside those of the schema */
export const validate = (schema: object, value: unknown, base: Path = [], others: readonly string[] = []): Problem[] => {
  const check = ajv.compile(schema);
  if (check(value)) return [];
  const errors = check.errors ?? [];
  const named = new Set(errors.filter(({ keyword }) => keyword === 'propertyNames').map(({ instancePath }) => instancePath));
  return errors
    .filter(
      ({ keyword, instancePath, propertyName }) =>
        // That a condition was not met says nothing beside what it asked for.
        keyword !== 'if' && !(keyword === 'pattern' && propertyName !== undefined && named.has(instancePath)),
    )
    .map((error) => describe(base, error, others));
};
