/** The gateway compiles its schemas without checking them, which would make each start slower. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { adapters } from '../adapters/index.js';
import { coreSchema } from '../src/config/schema.js';

const document = parse(readFileSync('openapi.yaml', 'utf8')) as { components: { schemas: Record<string, object> } };

/** Every `schema` of the document, by the place where it is. */
const schemasIn = (value: unknown, place = ''): [string, object][] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): [string, object][] => [
    ...(key === 'schema' ? [[`${place}/${key}`, inner] as [string, object]] : []),
    ...schemasIn(inner, `${place}/${key}`),
  ]);
};

const problemsOf = (ajv: Ajv | Ajv2020, schemas: readonly (readonly [string, object])[]): object[] =>
  schemas.flatMap(([place, schema]) => (ajv.validateSchema(schema) ? [] : [{ place, errors: ajv.errors }]));

describe('is valid JSON Schema', () => {
  it('openapi.yaml', () => {
    const schemas = [...Object.entries(document.components.schemas), ...schemasIn(document)];
    expect(schemas.length).toBeGreaterThan(50);
    expect(problemsOf(new Ajv2020({ logger: false }), schemas)).toEqual([]);
  });

  it('what is checked of a configuration', () => {
    const settings = Object.entries(adapters).map(([vendor, { configSchema }]) => [vendor, configSchema] as const);
    expect(problemsOf(new Ajv({ logger: false }), [['core', coreSchema], ...settings])).toEqual([]);
  });

  it('nothing else', () => {
    expect(problemsOf(new Ajv2020({ logger: false }), [['wrong', { type: 'strin' }]])).toHaveLength(1);
  });
});
