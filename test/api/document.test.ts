/** The document is true: its examples fit it, and do what they say on the clusters of the demo. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { type Demo, startDemo } from '../../api/demo.js';
import { PROBLEM_TYPES } from '../../api/rest/problem.js';
import { schemaAt } from '../support/contract-check.js';
import { startGateway, type TestGateway } from '../support/gateway.js';

type Json = Record<string, unknown>;

interface Problem {
  readonly code: keyof typeof PROBLEM_TYPES;
  readonly status: number;
  readonly title: string;
}

const document = parse(readFileSync('openapi.yaml', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: {
    readonly responses: Readonly<Record<string, { content?: Record<string, { example?: unknown }> }>>;
    readonly schemas: Readonly<Record<string, { examples?: readonly unknown[] }>>;
  };
};
const { responses, schemas } = document.components;
const PROBLEM = 'application/problem+json';

describe('an error', () => {
  const errors = Object.entries(responses).filter(([, { content }]) => content?.[PROBLEM]);

  it.each(errors)('%s has an example that fits', (_, { content }) => {
    const example = content?.[PROBLEM]?.example as Problem;
    expect(schemaAt('/components/schemas/Problem')(example)).toBe(true);
    const { status, title } = PROBLEM_TYPES[example.code];
    expect([example.status, example.title]).toEqual([status, title]);
  });

  it('that an operation can answer is documented with the status of its example', () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    const wrong = operations.flatMap(({ operationId, responses: answers }) =>
      Object.entries(answers as Record<string, { $ref?: string }>).flatMap(([status, { $ref }]) => {
        const example = responses[$ref?.split('/').at(-1) ?? '']?.content?.[PROBLEM]?.example as Problem | undefined;
        return example === undefined || String(example.status) === status ? [] : [`${operationId} ${status}`];
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('an answer', () => {
  it('may have members that a later version adds', () => {
    const user = { ...(schemas['User']?.examples?.[0] as object), added: true };
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'openapi.yaml');
    for (const [name, isOpen] of [
      ['User', true],
      ['UserCreate', false],
    ] as const) {
      const example = name === 'User' ? user : { username: 'liwei01', password: 'Choose@Your0wn', added: true };
      expect([name, ajv.validate({ $ref: `openapi.yaml#/components/schemas/${name}` }, example)]).toEqual([name, isOpen]);
    }
    // The tests see them all the same.
    expect(schemaAt('/components/schemas/User')(user)).toBe(false);
  });
});

describe('an example', () => {
  const examples = Object.entries(schemas).flatMap(([name, { examples: given = [] }]) =>
    given.map((example, at) => [name, at, example] as const),
  );

  it.each(examples)('of %s (%i) fits its schema', (name, _, example) => {
    expect(schemaAt(`/components/schemas/${name}`)(example)).toBe(true);
  });
});

describe('on the clusters of the demo', () => {
  let demo: Demo;
  let gateway: TestGateway;
  beforeAll(async () => {
    demo = await startDemo();
    gateway = await startGateway(demo.raw as object);
  });
  afterAll(async () => {
    await gateway.stop();
    await demo.close();
  });
  const exampleOf = (name: string): unknown => schemas[name]?.examples?.[0];

  it.each(['demo-ehpc', 'demo-shanhe'])('the example of a new user can be created: %s', async (cluster) => {
    const { status, body } = await gateway.post(`/clusters/${cluster}/users`, exampleOf('UserCreate'));
    expect([status, body.username]).toEqual([201, 'liwei01']);
  });

  it.each([
    ['BadRequest', 'GET', '?limit=1001', undefined],
    ['NotFound', 'GET', '/nobody', undefined],
    ['Conflict', 'POST', '', { username: 'alice.wang', password: 'Choose@Your0wn' }],
    ['Unprocessable', 'POST', '', { username: 'a b', password: 'Choose@Your0wn' }],
    ['NotSupported', 'PATCH', '', { role: 'admin' }],
    ['PreconditionFailed', 'DELETE', '', undefined],
    ['UnsupportedMediaType', 'POST', '', undefined],
  ] as const)('the example of an error is what is answered there: %s', async (name, method, more, body) => {
    const example = responses[name]?.content?.[PROBLEM]?.example as Problem & Json;
    const { instance } = example as { readonly instance?: string };
    const path = name === 'NotFound' ? '/clusters/demo-ehpc/users/nobody' : `${instance}${more}`;
    const headers = { ...(name === 'PreconditionFailed' && { 'if-match': '"another"' }) };
    const wrongType = name === 'UnsupportedMediaType' && { body: 'x', headers: { 'content-type': 'text/plain' } };
    const { status, body: problem } = await gateway.request(method, path, { body, headers, ...wrongType });
    const { requestId: _, vendor: __, ...answered } = problem;
    const { requestId: ___, vendor: ____, ...documented } = example;
    expect([status, answered]).toEqual([example.status, documented]);
  });

  it('the example of a batch does all that it names', async () => {
    const { body } = await gateway.post('/clusters/demo-ehpc/users/batch', exampleOf('BatchRequest'));
    const statuses = body.results.map((result: { status: string }) => result.status);
    // The first one was created above.
    expect(statuses).toEqual(['already_exists', expect.stringMatching(/^(updated|unchanged)$/), 'created', 'deleted']);
  });
});
