/** What a list says of rows that its vendor sent and that cannot be used. */
import type { Incomplete } from '../../src/model.js';

export const incompleteOf = (omittedRows: number): Incomplete | null => (omittedRows === 0 ? null : { omittedRows });
