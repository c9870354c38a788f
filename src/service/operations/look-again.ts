/** One more read-back of the items of an ended operation whose outcome is unknown. */
import type { Call } from '../../adapter.js';
import type { ItemOutcome, LoadedOperation } from './records.js';

/** What is known now of items with status `unknown`, by their index. Sends nothing. */
export type LookAgain = (operation: LoadedOperation, call: Call) => Promise<ReadonlyMap<number, ItemOutcome>>;

export const createLookAgain = (): LookAgain => async () => new Map();
