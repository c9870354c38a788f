/** Lists of any length, written as they are read: as lines of JSON, or as CSV. */
import { asGatewayError, type GatewayError } from '../../src/errors.js';
import type { User } from '../../src/model.js';
import type { UserStretch } from '../../src/users/queries.js';
import { incompleteOf } from './incomplete.js';
import { type About, toProblem } from './problem.js';

export const NDJSON = 'application/x-ndjson';
export const CSV = 'text/csv';

/** As the import takes them; `op` is for the one who imports. */
const COLUMNS = ['op', 'username', 'role', 'group', 'uid', 'gid', 'createdAt'] as const;

/** RFC 4180. */
const field = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const row = (user: User): string => `${COLUMNS.map((column) => (column === 'op' ? '' : field(user[column]))).join(',')}\r\n`;

/** One user a line, and a last line that says that this is all; or, in its place, why it is not. */
export async function* asLines(
  stretches: AsyncIterable<UserStretch>,
  shown: (user: User) => User,
  about: About,
  noteFailure: (failure: GatewayError) => void,
): AsyncGenerator<string> {
  let total = 0;
  let left = 0;
  try {
    for await (const { users, omitted } of stretches) {
      total += users.length;
      left += omitted;
      if (users.length > 0) yield `${users.map((user) => JSON.stringify(shown(user))).join('\n')}\n`;
    }
    yield `${JSON.stringify({ end: { total, incomplete: incompleteOf(left) } })}\n`;
  } catch (thrown) {
    const failure = asGatewayError(thrown);
    noteFailure(failure);
    yield `${JSON.stringify({ error: toProblem(failure, about) })}\n`;
  }
}

/** A list that fails in the middle ends without its last chunk: CSV has no place for a word about it. */
export async function* asCsv(
  stretches: AsyncIterable<UserStretch>,
  noteFailure: (failure: GatewayError) => void,
): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  try {
    for await (const { users } of stretches) if (users.length > 0) yield users.map(row).join('');
  } catch (thrown) {
    noteFailure(asGatewayError(thrown));
    throw thrown;
  }
}
