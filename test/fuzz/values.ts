/** Values made from schemas: those that fit, those that nearly do, and those that are meant to hurt. */
import fc from 'fast-check';
import { resolve, type Schema } from './document.js';
import { hostileText, meantFor } from './texts.js';

/** JSON that may be none: members may be there twice, and `raw` is written as it is. */
export type Node =
  | string
  | number
  | boolean
  | null
  | readonly Node[]
  | { readonly members: readonly (readonly [string, Node])[] }
  | Raw;

export interface Raw {
  readonly raw: string;
}

const repeated = (open: string, close: string, times: number, inner = ''): string =>
  `${open.repeat(times)}${inner}${close.repeat(times)}`;

const RAW = [
  ...['NaN', 'Infinity', '-0', '1e999', '-1e999', '1E400', '0.1e-999', '12345678901234567890123', '01', '+1', '.5', '1.', '0x1'],
  ...[
    'undefined',
    '',
    '{',
    '[',
    '"',
    '"\\u12"',
    '"\\ud800"',
    '"\\x41"',
    "'a'",
    '"\n"',
    '"\t"',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    '//x\n1',
  ],
  ...[
    '{"__proto__":{"op":"create"}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"":""}',
    '[[[]]]',
    '"\\u0000"',
    'tru',
    '\ufeff1',
  ],
  ...[repeated('[', ']', 15), repeated('[', ']', 17), repeated('[', ']', 3_000), repeated('{"a":', '}', 17, '1')],
  ...[repeated('[', '', 50_000), `[${'0,'.repeat(25_000)}0]`, `"${'\\u0061'.repeat(9_000)}"`, `{${'"a":1,'.repeat(999)}"a":1}`],
];

const raw: fc.Arbitrary<Node> = fc.constantFrom(...RAW).map((text): Node => ({ raw: text }));

const scalar: fc.Arbitrary<Node> = fc.oneof(
  hostileText,
  fc.constantFrom<Node>(null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 31), 1e21, 5e-324),
  fc.constantFrom<Node>([], { members: [] }),
);

export const hostile: fc.Arbitrary<Node> = fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 2, arbitrary: raw });

const typeOf = ({ type }: Schema): string | undefined => (typeof type === 'string' ? type : type?.[0]);

const textFor = (name: string, { minLength = 0, maxLength = 40, examples, format }: Schema): fc.Arbitrary<string> => {
  const meant = meantFor(name);
  const times = fc.constantFrom('2026-01-01T00:00:00Z', '2030-01-01T00:00:00.123456789+14:00');
  return fc.oneof(
    { weight: 1, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit: 'grapheme-ascii' }) },
    ...(meant ? [{ weight: 20, arbitrary: meant }] : []),
    ...(examples ? [{ weight: 2, arbitrary: fc.constantFrom(...examples.map(String)) }] : []),
    ...(format === 'date-time' ? [{ weight: 20, arbitrary: times }] : []),
  );
};

const numberFor = ({ minimum = -3, maximum = 1_000 }: Schema): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: minimum, max: maximum }),
    fc.constantFrom(minimum, maximum),
    fc.integer({ min: minimum, max: minimum + 20 }),
  );

const objectFor = (schema: Schema): fc.Arbitrary<Node> => {
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const value = fitting(name, member).map((each) => [name, each] as const);
    return required.has(name) ? value : fc.option(value, { nil: undefined, freq: 1 });
  });
  return fc.tuple(...members).map((all) => ({ members: all.filter((member) => member !== undefined) }));
};

const MAX_ITEMS = 5;

/** A value that fits the schema, most often; its name says what is likely to be meant. */
export const fitting = (name: string, given: Schema): fc.Arbitrary<Node> => {
  const schema = resolve<Schema>(given);
  if (schema.const !== undefined) return fc.constant(schema.const as Node);
  if (schema.enum) return fc.constantFrom(...(schema.enum as Node[]));
  if (schema.oneOf) return fc.oneof(...schema.oneOf.map((each) => fitting(name, each)));
  switch (typeOf(schema)) {
    case 'object':
      return objectFor(schema);
    case 'array':
      return fc.array(fitting(name, schema.items ?? {}), {
        minLength: 1,
        maxLength: Math.min(schema.maxItems ?? MAX_ITEMS, MAX_ITEMS),
      });
    case 'integer':
    case 'number':
      return numberFor(schema);
    case 'boolean':
      return fc.boolean();
    default:
      return textFor(name, schema);
  }
};

const beyondTexts = ({ minLength, maxLength }: Schema): string[] => [
  ...(minLength === undefined ? [] : ['x'.repeat(Math.max(minLength - 1, 0))]),
  ...(maxLength === undefined
    ? []
    : ['x'.repeat(maxLength), 'x'.repeat(maxLength + 1), '中'.repeat(maxLength), '𝒜'.repeat(maxLength)]),
];

/** Values at the limits of the schema and one beyond, of other types, and null. */
const nearby = (given: Schema): Node[] => {
  const schema = resolve<Schema>(given);
  const { minimum, maximum } = schema;
  return [
    ...(minimum === undefined ? [] : [minimum - 1, minimum, minimum + 0.5, String(minimum)]),
    ...(maximum === undefined ? [] : [maximum, maximum + 1, `${maximum}.0`, `0${maximum}`, maximum * 1e15]),
    ...beyondTexts(schema),
    ...(schema.enum ?? []).flatMap((each): Node[] => [String(each).toUpperCase(), ` ${String(each)}`, [String(each)]]),
    ...[null, 7, true, 'x', [], { members: [] }],
  ];
};

/** A value for one parameter or member. */
export const valueFor = (name: string, schema: Schema): fc.Arbitrary<Node> =>
  fc.oneof(
    { weight: 40, arbitrary: fitting(name, schema) },
    { weight: 3, arbitrary: fc.constantFrom(...nearby(schema)) },
    { weight: 2, arbitrary: hostile },
  );

type Change = (node: Node, at: number, value: Node) => Node;

const isObject = (node: Node): node is { readonly members: readonly (readonly [string, Node])[] } =>
  typeof node === 'object' && node !== null && 'members' in node;

const inMembers =
  (
    change: (members: readonly (readonly [string, Node])[], at: number, value: Node) => readonly (readonly [string, Node])[],
  ): Change =>
  (node, at, value) =>
    isObject(node) ? { members: change(node.members, at % (node.members.length || 1), value) } : node;

const EXTRA = ['__proto__', 'constructor', 'toString', 'extra', '', 'Username', 'op', 'dryRun', 'uid', 'x'.repeat(3_000)];

const CHANGES: readonly Change[] = [
  inMembers((members, at) => members.filter((_, index) => index !== at)),
  inMembers((members, at, value) => members.map((member, index) => (index === at ? [member[0], value] : member))),
  inMembers((members, at) => members.map((member, index) => (index === at ? [member[0], null] : member))),
  inMembers((members, at, value) => [...members, [EXTRA[at % EXTRA.length] as string, value]]),
  inMembers((members, at, value) => [...members, [members[at]?.[0] ?? 'x', value]]),
  inMembers((members, at) => [...members, ...members.slice(at, at + 1)]),
  (node) => [node],
  (_, __, value) => value,
];

/** Goes down to somewhere in the value and changes it there. */
const changed = (node: Node, path: readonly number[], change: Change, value: Node): Node => {
  const [at = 0, ...rest] = path;
  if (rest.length > 0 && isObject(node) && node.members.length > 0) {
    const index = at % node.members.length;
    return {
      members: node.members.map(([name, each], where) => [name, where === index ? changed(each, rest, change, value) : each]),
    };
  }
  if (rest.length > 0 && Array.isArray(node) && node.length > 0)
    return node.map((each: Node, where) => (where === at % node.length ? changed(each, rest, change, value) : each));
  return change(node, at, value);
};

const mutant = (schema: Schema, name: string): fc.Arbitrary<Node> =>
  fc
    .tuple(
      fitting(name, schema),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(...CHANGES),
      fc.oneof(hostile, fc.constantFrom(...nearby(schema))),
    )
    .map(([node, path, change, value]) => changed(node, path, change, value));

/** Items beyond the limit are refused at once; as many as it allows would keep the vendors busy. */
const tooManyItems: fc.Arbitrary<Node> = fc.constant({
  members: [
    [
      'items',
      Array.from(
        { length: 1_001 },
        (_, index): Node => ({
          members: [
            ['op', 'delete'],
            ['username', `n${index}`],
          ],
        }),
      ),
    ],
  ],
});

/** A body. */
export const bodyFor = (schema: Schema): fc.Arbitrary<Node> =>
  fc.oneof(
    { weight: 20, arbitrary: fitting('', schema) },
    { weight: 10, arbitrary: mutant(schema, '') },
    { weight: 3, arbitrary: hostile },
    { weight: 1, arbitrary: tooManyItems },
  );

export const toJson = (node: Node): string => {
  if (Array.isArray(node)) return `[${node.map(toJson).join(',')}]`;
  if (typeof node !== 'object' || node === null) return JSON.stringify(node);
  if ('raw' in node) return (node as Raw).raw;
  return `{${(node as { members: readonly (readonly [string, Node])[] }).members.map(([name, value]) => `${JSON.stringify(name)}:${toJson(value)}`).join(',')}}`;
};

/** As a query, a path or a header has it. */
export const toText = (node: Node): string => (typeof node === 'string' ? node : toJson(node));
