/** What a command writes: results to standard output, words for people to standard error. */
import Table from 'cli-table3';
import { EXIT } from './exit.js';

/** Control characters, line separators, and what changes the direction of the text after it. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

const codeOf = (character: string): string => character.codePointAt(0)?.toString(16) ?? '';

/** As a terminal may show it: `\u{1b}` in place of a control character. */
export const visible = (text: string): string => text.replace(HARMFUL, (character) => `\\u{${codeOf(character)}}`);

/** Values are as they were; JSON itself escapes only the first 32. */
const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${codeOf(character).padStart(4, '0')}`,
  );

let canWrite = true;

/** Whether somebody still reads standard output; a list needs no more of it then. */
export const isRead = (): boolean => canWrite;

/** To standard output, as it is. */
export const write = (text: string): void => {
  if (canWrite) process.stdout.write(text);
};

export const writeJson = (value: unknown): void => write(`${toJson(value, 2)}\n`);

export const writeLine = (value: unknown): void => write(`${toJson(value)}\n`);

/** Lines for people, to standard error. */
export const say = (text: string): void => {
  process.stderr.write(`${text.split('\n').map(visible).join('\n')}\n`);
};

export type Cell = string | number | null | undefined;

const toCell = (cell: Cell): string => (cell === null || cell === undefined || cell === '' ? '-' : visible(String(cell)));

const EDGES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
];
const CHARS = { ...Object.fromEntries(EDGES.map((edge) => [edge, ''])), middle: '  ' };

/** Columns under their names; wide characters count as two. */
export const writeTable = (names: readonly string[], rows: readonly (readonly Cell[])[]): void => {
  const table = new Table({
    head: [...names],
    chars: CHARS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map(toCell)));
  write(`${table.toString().replace(/[ ]+$/gm, '')}\n`);
};

/**
 * A reader that has enough, such as `head`, is no failure, and the work goes on without it: what was begun is finished, and its exit code is its own.
 * Output that is lost in another way, on a full disk, is a failure.
 */
export const outliveReader = (): void => {
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (!canWrite) return;
    canWrite = false;
    if (code === 'EPIPE') return;
    say(`Standard output cannot be written (${code}).`);
    // The action may set its own code after this.
    process.on('exit', () => {
      process.exitCode ||= EXIT.notDone;
    });
  });
};
