/** What became of the items of a batch, or would. */
import type { BatchResult } from '@hpc-gateway/client';
import { say, writeTable } from './output.js';

type Results = BatchResult['results'];
type Result = Results[number];
type Summary = BatchResult['summary'];

const DONE: ReadonlySet<string> = new Set(['created', 'updated', 'unchanged', 'deleted']);

export const isDone = ({ status }: Pick<Result, 'status'>): boolean => DONE.has(status);

/** `299 created, 1 refused`. */
export const inWords = (summary: Summary): string =>
  Object.entries(summary)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status.replace('_', ' ')}`)
    .join(', ') || 'nothing';

/** @param place says where an item was written, by its index */
export const writeResults = (results: Results, place: (index: number) => number, placeName = 'ITEM'): void =>
  writeTable(
    [placeName, 'USERNAME', 'DO', 'RESULT', 'REASON'],
    results.map(({ index, username, op, status, problem }) => [
      place(index),
      username,
      op,
      status.replace('_', ' '),
      problem && `${problem.detail} (${problem.code})`,
    ]),
  );

export const saySummary = (summary: Summary, prefix: string): void => say(`${prefix}: ${inWords(summary)}`);
