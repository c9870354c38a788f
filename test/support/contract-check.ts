/** Every answer against openapi.yaml, by other means than those of the code that serves it. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { closed } from './closed.js';

type Json = Record<string, unknown>;

const document = closed(readFileSync('dist/openapi.json', 'utf8')) as {
  paths: Record<string, Json>;
  components: { responses: Record<string, Json>; schemas: Record<string, Json> };
};

const ajv = new Ajv2020({ strict: false, allErrors: true, meta: false, validateSchema: false });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);
// Of requests.
for (const format of ['line', 'entity-tags', 'any-entity', 'idempotency-key']) ajv.addFormat(format, true);
ajv.addSchema(document, 'openapi.yaml');

const compiled = new Map<string, ValidateFunction>();
export const schemaAt = (pointer: string): ValidateFunction => {
  const known = compiled.get(pointer);
  if (known) return known;
  const validate = ajv.compile({ $ref: `openapi.yaml#${pointer}` });
  compiled.set(pointer, validate);
  return validate;
};

const pointerStep = (step: string): string => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));

const pathFor = (path: string): string | undefined =>
  Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

/** Answers that no operation documents: unknown paths, wrong methods. */
const UNDOCUMENTED = new Set([404, 405]);

export const assertDocumented = (method: string, path: string, { status, headers, text, body }: Answer): void => {
  const type = headers.get('content-type')?.split(';')[0] ?? null;
  const check = (pointer: string): void => {
    const validate = schemaAt(pointer);
    if (!validate(type?.endsWith('json') && !type.includes('ndjson') ? body : text))
      throw new Error(`${method} ${path} → ${status} breaks ${pointer}: ${JSON.stringify(validate.errors)}\n${text}`);
  };
  if (headers.get('x-request-id') === null) throw new Error(`${method} ${path} → ${status} without X-Request-Id`);

  const template = pathFor(path.split('?')[0] ?? '');
  const operation = template === undefined ? undefined : (document.paths[template]?.[method.toLowerCase()] as Json | undefined);
  if (template === undefined || operation === undefined) {
    if (!UNDOCUMENTED.has(status)) throw new Error(`${method} ${path} is not documented, yet answers ${status}`);
    check('/components/schemas/Problem');
    return;
  }
  const responses = operation['responses'] as Record<string, Json>;
  const documented = [String(status), `${Math.floor(status / 100)}XX`].find((one) => responses[one]);
  const response = documented && responses[documented];
  if (!response) throw new Error(`${method} ${path} answers ${status}, which is not documented: ${text}`);
  const ref = response['$ref'] as string | undefined;
  const resolved = ref ? (document.components.responses[ref.split('/').at(-1) ?? ''] as Json) : response;
  const content = resolved['content'] as Json | undefined;
  if (!content) {
    if (text !== '') throw new Error(`${method} ${path} → ${status} has a body, none is documented`);
    return;
  }
  if (type === null || !(type in content))
    throw new Error(`${method} ${path} → ${status} is ${type}, not ${Object.keys(content).join(', ')}`);
  const base = ref ? ref.slice(1) : `/paths/${pointerStep(template)}/${method.toLowerCase()}/responses/${documented}`;
  if (type.endsWith('json')) check(`${base}/content/${pointerStep(type)}/schema`);
};
