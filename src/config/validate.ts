import { Ajv, type ErrorObject } from 'ajv';
import { isKey } from './key.js';
import { isLoopback } from './loopback.js';
import { HEADER_PATTERN, ID_PATTERN } from './schema.js';

/** An https URL; plain http only to this machine, since requests carry passwords. */
const isEndpoint = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  if (search !== '' || hash !== '' || username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
};

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
  key: 'must be 32 bytes in base64; make one with: openssl rand -base64 32',
  'redis-url': 'must be a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0',
  'time-zone': 'must be a time zone such as UTC or Asia/Shanghai',
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
ajv.addFormat('redis-url', isRedisUrl);
ajv.addFormat('time-zone', isTimeZone);

const keyPath = (base: string, instancePath: string, key?: string): string => {
  const steps = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (key !== undefined) steps.push(key);
  return steps.reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`), base);
};

const describe = (base: string, error: ErrorObject): string => {
  const at = (key?: string) => keyPath(base, error.instancePath, key) || 'the file';
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties':
      return `${at(String(params['additionalProperty']))}: is not a known key`;
    case 'required':
      return `${at(String(params['missingProperty']))}: is missing`;
    case 'enum':
      return `${at()}: must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    case 'format':
      return `${at()}: ${FORMAT_REASONS[String(params['format'])] ?? error.message}`;
    case 'type':
      return `${at()}: must be ${TYPE_WORDS[String(params['type'])] ?? params['type']}`;
    case 'pattern':
      return `${at()}: ${PATTERN_WORDS[String(params['pattern'])] ?? error.message}`;
    case 'minProperties':
      return `${at()}: must name at least one`;
    case 'propertyNames':
      return `${at(String(params['propertyName']))}: is not a fitting name; use letters, digits, dots, dashes and underscores`;
    default:
      return `${at()}: ${error.message}`;
  }
};

/** Checks a value and fills in defaults in place. Answers the problems as `key: reason`; the text of a value never stands in one. */
export const validate = (schema: object, value: unknown, base = ''): string[] => {
  const check = ajv.compile(schema);
  if (check(value)) return [];
  const errors = check.errors ?? [];
  const named = new Set(errors.filter(({ keyword }) => keyword === 'propertyNames').map(({ instancePath }) => instancePath));
  return [
    ...new Set(
      errors
        .filter(
          ({ keyword, instancePath, propertyName }) =>
            !(keyword === 'pattern' && propertyName !== undefined && named.has(instancePath)),
        )
        .map((error) => describe(base, error)),
    ),
  ];
};
