import { BOUNDS } from './bounds.js';
import type { Latencies } from './latencies.js';
import type { StoreReport } from './stage.js';
import type { Result } from './trial.js';
import { maxFiles } from './usage.js';

const MIB = 1024 * 1024;

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
};

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');

const latencies = ({ p50, p99, max, requests, errors }: Latencies): string[] => [
  p50.toFixed(0),
  p99.toFixed(0),
  max.toFixed(0),
  `${sum(errors)}/${requests}`,
];

const HEAD = [
  'attack',
  'p50 ms',
  'p99 ms',
  'max ms',
  'errors',
  'RSS peak MiB',
  'CPU s',
  'gap ms',
  'own gap',
  'after: p99 ms',
  'RSS MiB',
  'connections',
  'recovered',
  'within bounds',
];

const rowOf = (result: Result): string[] => [
  result.attack,
  ...latencies(result.legitimate),
  `+${(result.rssPeakOverIdle / MIB).toFixed(0)}`,
  result.cpuSeconds.toFixed(1),
  result.longestGapMs.toFixed(0),
  result.ownGapMs.toFixed(0),
  result.recovery.legitimate.p99.toFixed(0),
  `+${(result.recovery.rssOverIdle / MIB).toFixed(0)}`,
  String(result.recovery.connections ?? '-'),
  result.isAlive ? (result.recovered ? 'yes' : 'NO') : 'DIED',
  result.isWithinBounds ? 'yes' : 'NO',
];

/** What the attackers did, so that an attack that never took place is seen. */
const noteOf = ({ attack, attackers: { opened, cut, sent, statuses, kinds }, legitimate, fresh, kept }: Result): string[] => {
  const errors = sum(legitimate.errors) > 0 ? `; errors ${list(legitimate.errors)}` : '';
  const kindNotes = Object.entries(kinds).map(
    ([kind, { slowestMs, statuses: met }]) => `    ${kind}: ${met.join(', ')}, slowest ${slowestMs} ms`,
  );
  return [
    `  ${attack}: ${opened} connections, ${cut} cut, ${sent} requests; ${list(statuses) || 'no answers'}`,
    `    legitimate p99: fresh connections ${fresh.p99.toFixed(0)} ms, kept ones ${kept.p99.toFixed(0)} ms${errors}`,
    ...kindNotes,
  ];
};

export const describe = ({ store, variant, quiet, capacity, results }: StoreReport): string => {
  const rate = capacity === undefined ? '' : `, capacity ${capacity.toFixed(0)} requests/s`;
  const quietRow = ['(quiet)', ...latencies(quiet.legitimate), '', '', quiet.longestGapMs.toFixed(0), '', '', '', '', '', ''];
  return [
    `store ${store}, ${variant}; idle ${(quiet.rss / MIB).toFixed(0)} MiB${rate}; ${maxFiles()} open files a process`,
    table([HEAD, quietRow, ...results.map(rowOf)]),
    'attackers',
    ...results.flatMap(noteOf),
  ].join('\n');
};

export const BOUNDS_NOTE = `bounds: legitimate p99 under ${BOUNDS.p99Ms} ms, a failed request counting as its whole patience; memory within ${
  BOUNDS.rssBytes / MIB
} MiB of idle; afterwards at most ${BOUNDS.connections} connections, no errors`;
