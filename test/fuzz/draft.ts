/** Requests before they are sent: data that can be shrunk and printed. */
import fc from 'fast-check';
import { OPERATIONS, type Operation, type Parameter } from './document.js';
import { METHODS, PATH_CHANGES, STRANGE_HEADERS, TYPES } from './oddities.js';
import { ENCODINGS, type Encoding, hostileText, MARKS, PASSWORDS, percentEncode } from './texts.js';
import { bodyFor, type Node, toJson, toText, valueFor } from './values.js';

export const CALLERS = ['admin', 'reader', 'writer', 'other', 'limited', 'stranger', 'nobody', 'both'] as const;
export type CallerName = (typeof CALLERS)[number];

/** How the bytes of the body are announced. `half`: the connection ends in the middle. */
export const FRAMINGS = ['length', 'chunked', 'half', 'extra', 'both', 'none'] as const;
export type Framing = (typeof FRAMINGS)[number];

/** `wrong`: plain bytes under a name of an encoding; `cut`: half of the encoded bytes. */
export const CODINGS = ['identity', 'gzip', 'br', 'deflate', 'wrong', 'cut', 'bomb', 'unknown'] as const;
export type Coding = (typeof CODINGS)[number];

export interface Draft {
  readonly method: string;
  readonly target: string;
  readonly caller: CallerName;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
  readonly framing: Framing;
  readonly coding: Coding;
}

const encodings: fc.Arbitrary<Encoding> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Encoding>('plain') },
  { weight: 1, arbitrary: fc.constantFrom(...ENCODINGS) },
);

interface Pair {
  readonly name: string;
  readonly value: Node;
  readonly encoding: Encoding;
}

const pairFor = ({ name, schema }: Parameter): fc.Arbitrary<Pair> =>
  fc.record({ name: fc.constant(name), value: valueFor(name, schema), encoding: encodings });

/** Members of every object, and parameters of some. */
const FAMILIAR = ['__proto__', 'constructor', 'toString', 'limit', 'dryRun'];

const strangePair: fc.Arbitrary<Pair> = fc.record({
  name: fc.oneof(hostileText, fc.constantFrom(...FAMILIAR)),
  value: hostileText,
  encoding: fc.constantFrom(...ENCODINGS),
});

const written = ({ name, value, encoding }: Pair): string =>
  `${percentEncode(name, encoding)}=${percentEncode(toText(value), encoding)}`;

const queryFor = (parameters: readonly Parameter[]): fc.Arbitrary<string> => {
  const given = parameters.map((parameter) => fc.option(pairFor(parameter), { nil: undefined, freq: 1 }));
  const all = fc.tuple(
    fc.tuple(...given).map((pairs) => pairs.filter((pair) => pair !== undefined)),
    fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(strangePair, { maxLength: 3 }) }),
    fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constantFrom(2, 300) }),
  );
  return all.map(([pairs, strange, times]) => {
    const texts = [...pairs, ...strange].map(written);
    const repeated = texts.slice(0, 1).flatMap((text) => Array.from({ length: times - 1 }, () => text));
    const query = [...texts, ...repeated].join('&');
    return query === '' ? '' : `?${query}`;
  });
};

const pathFor = ({ path, parameters }: Operation): fc.Arbitrary<string> => {
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  return fc
    .tuple(...inPath.map(pairFor))
    .map((pairs) =>
      pairs.reduce(
        (at, { name, value, encoding }) => at.replace(`{${name}}`, () => percentEncode(toText(value), encoding)),
        path,
      ),
    );
};

const strangeHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .constantFrom(...STRANGE_HEADERS)
      .chain(([name, values]) => fc.constantFrom(...values).map((value) => [name, value] as const)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('X-Request-Id', 'Idempotency-Key', 'If-Match', 'Accept', 'Prefer'), hostileText),
  },
  { weight: 1, arbitrary: fc.constantFrom(['X-A\r\nX-B', 'y'] as const, ['X A', 'y'] as const, ['', 'y'] as const) },
);

const CSV_LINES = [
  'op,username,password,role',
  'username,password',
  'username;password',
  'create,fuzz0004,Abc1~!@#$%^&*()_+=,member',
];
const csv: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '\ufeff', 'sep=;\n'),
    fc.constantFrom(
      'op,username,password,role',
      'username,password',
      'username\tpassword',
      'USERNAME,Password',
      '__proto__,x',
      '',
    ),
    fc.array(fc.oneof(fc.constantFrom(...CSV_LINES, 'delete,u0009,,', '"a"b,c', '"', ',,,'), hostileText), { maxLength: 4 }),
    fc.constantFrom('\n', '\r\n', '\r'),
  )
  .map(([mark, names, lines, end]) => `${mark}${[names, ...lines, ''].join(end)}`);

interface Content {
  readonly type: string | undefined;
  readonly body: string | undefined;
}

const contentFor = ({ bodies }: Operation): fc.Arbitrary<Content> => {
  const none: fc.Arbitrary<Content> = fc.constant({ type: undefined, body: undefined });
  const ill: fc.Arbitrary<Content> = fc.record({
    type: fc.constantFrom(...TYPES),
    body: fc.constantFrom('', '{}', 'x', 'null', '[]'),
  });
  if (bodies.length === 0) return fc.oneof({ weight: 15, arbitrary: none }, { weight: 1, arbitrary: ill });
  const proper = fc.oneof(
    ...bodies.map(([type, schema]): fc.Arbitrary<Content> => {
      const body = type === 'text/csv' ? csv : bodyFor(schema).map(toJson);
      return body.chain((text) =>
        fc.oneof(
          { weight: 15, arbitrary: fc.constant({ type, body: text }) },
          { weight: 1, arbitrary: fc.constantFrom(...TYPES).map((other) => ({ type: other, body: text })) },
        ),
      );
    }),
  );
  return fc.oneof({ weight: 15, arbitrary: proper }, { weight: 1, arbitrary: none }, { weight: 1, arbitrary: ill });
};

const rarely = <T>(usual: T, others: readonly T[], weight = 12): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const callers: fc.Arbitrary<CallerName> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<CallerName>('admin') },
  { weight: 4, arbitrary: fc.constantFrom(...CALLERS) },
);

const headersFor = (parameters: readonly Parameter[]): fc.Arbitrary<readonly (readonly [string, string])[]> => {
  const own = parameters.map(({ name, schema }) =>
    fc.option(
      valueFor(name, schema).map((value) => [name, toText(value)] as const),
      { nil: undefined, freq: 1 },
    ),
  );
  const strange = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(strangeHeader, { minLength: 1, maxLength: 3 }) },
  );
  return fc.tuple(fc.tuple(...own), strange).map(([given, more]) => [...given.filter((header) => header !== undefined), ...more]);
};

const draftFor = (operation: Operation): fc.Arbitrary<Draft> => {
  const { parameters, method } = operation;
  const path = fc
    .tuple(
      pathFor(operation),
      rarely<(path: string) => string>((same) => same, PATH_CHANGES, 25),
    )
    .map(([text, change]) => change(text));
  return fc
    .record({
      method: rarely(method, METHODS, 25),
      path,
      query: queryFor(parameters.filter((parameter) => parameter.in === 'query')),
      caller: callers,
      own: headersFor(parameters.filter((parameter) => parameter.in === 'header')),
      content: contentFor(operation),
      framing: rarely<Framing>('length', FRAMINGS, 20),
      coding: rarely<Coding>('identity', CODINGS, 20),
    })
    .map(({ path: at, query, own, content: { type, body }, ...rest }) => ({
      ...rest,
      target: `${at}${query}`,
      headers: [...(type === undefined ? [] : [['Content-Type', type] as const]), ...own],
      body,
    }));
};

/** Those that change something, or need ids of earlier answers, are drawn more often. */
const weightOf = ({ method, path }: Operation): number => {
  if (method !== 'GET') return 5;
  return path.includes('{') || path === '/operations' ? 3 : 1;
};

export const drafts: fc.Arbitrary<Draft> = fc.oneof(
  ...OPERATIONS.map((operation) => ({ weight: weightOf(operation), arbitrary: draftFor(operation) })),
);

const proper = (method: string, target: string, body?: object, prefer?: string): Draft => ({
  method,
  target,
  caller: 'admin',
  headers: [
    ...(body === undefined ? [] : [['Content-Type', 'application/json'] as const]),
    ...(prefer === undefined ? [] : [['Prefer', prefer] as const]),
  ],
  body: body === undefined ? undefined : JSON.stringify(body),
  framing: 'length',
  coding: 'identity',
});

const user = { username: '{{username}}', password: PASSWORDS[0] };

/** What plans may begin with, so that there are ids, tags and cursors to use. */
const OPENINGS: readonly (readonly Draft[])[] = [
  [],
  [proper('POST', '/clusters/ali/users', user)],
  [proper('POST', '/clusters/shan/users', user)],
  [proper('POST', '/clusters/shan/users', user, 'respond-async')],
  [
    proper('POST', '/clusters/ali/users/batch', {
      items: [
        { op: 'create', ...user },
        { op: 'delete', username: 'u9' },
      ],
    }),
  ],
  [proper('GET', '/clusters/ali/users?limit=2')],
  [proper('GET', '/clusters/shan/users?limit=2&search=u')],
  [proper('POST', '/clusters/ali/users', user), proper('GET', '/operations?limit=1')],
  [proper('PUT', '/clusters/ali/users/{{username}}', { password: PASSWORDS[0] }), proper('GET', '/audit?limit=1')],
];

export const openings: fc.Arbitrary<readonly Draft[]> = fc.constantFrom(...OPENINGS);

/** What is kept of earlier answers, by mark. */
export type Kept = Record<(typeof MARKS)[number], string>;

export const filled = (text: string, kept: Kept): string =>
  MARKS.reduce((at, mark) => at.replaceAll(mark, () => kept[mark]), text);
