/** When the writer's thread syncs the file of own keys: no crash of a process shows it, the loss of power does. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, jest } from '@jest/globals';

type Put = readonly [key: string, content: Uint8Array | string | null];
interface Group {
  place(changes: readonly { readonly put: readonly Put[] }[]): unknown;
  committed(): void;
  failed(): void;
}
interface Slots {
  beginGroup(): Group;
  close(): void;
}
interface Module {
  openSlots(options: object, markers: Iterable<readonly [string, number]>): Slots;
}

const BYTES = 64;
const folder = fs.mkdtempSync(join(tmpdir(), 'gateway-writer-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** What is done to the disk: writes of a slot, of zeros, of several slots, and syncs. */
const done: string[] = [];
const nameOf = (content: Uint8Array): string => {
  if (content.length > BYTES) return 'grow';
  return content.every((byte) => byte === 0) ? 'zeros' : 'slot';
};
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  writeSync: (fd: number, content: Uint8Array, offset: number, length: number, position: number) => {
    done.push(nameOf(content));
    return fs.writeSync(fd, content, offset, length, position);
  },
  fdatasyncSync: (fd: number) => {
    done.push('sync');
    fs.fdatasyncSync(fd);
  },
}));

const MODULE = '../../src/store/lmdb-slot-writer.mjs';
const { openSlots } = (await import(MODULE)) as Module;

let files = 0;
const open = (content: Uint8Array, markers: Iterable<readonly [string, number]> = []): Slots => {
  const path = join(folder, String(++files));
  fs.writeFileSync(path, content);
  done.length = 0;
  return openSlots({ path, bytes: BYTES, prefix: 'secret:' }, markers);
};
const slot = (fill: number): Uint8Array => Buffer.alloc(BYTES, fill);
/** What was done since the last time. */
const since = (): string[] => done.splice(0);

it('one sync follows what a group writes, before its transaction, and one what it erases, after it', () => {
  const slots = open(Buffer.alloc(BYTES));
  const first = slots.beginGroup();
  first.place([
    {
      put: [
        ['secret:a', slot(1)],
        ['item:a', '{}'],
      ],
    },
    { put: [['secret:b', slot(2)]] },
  ]);
  expect(since()).toEqual(['grow', 'slot', 'slot', 'sync']);
  first.committed();
  expect(since()).toEqual([]);
  const second = slots.beginGroup();
  second.place([{ put: [['secret:a', null]] }, { put: [['secret:b', slot(3)]] }]);
  expect(since()).toEqual(['slot', 'sync']);
  second.committed();
  expect(since()).toEqual(['zeros', 'zeros', 'sync']);
  const none = slots.beginGroup();
  none.place([
    {
      put: [
        ['item:a', null],
        ['secret:unknown', null],
      ],
    },
  ]);
  none.committed();
  expect(since()).toEqual([]);
  slots.close();
});

it('what a group wrote that has failed is erased, with one sync', () => {
  const slots = open(Buffer.alloc(BYTES));
  const group = slots.beginGroup();
  group.place([
    {
      put: [
        ['secret:a', slot(1)],
        ['secret:b', slot(2)],
      ],
    },
  ]);
  since();
  group.failed();
  expect(since()).toEqual(['zeros', 'zeros', 'sync']);
  slots.close();
});

it('what no record refers to is erased at the opening, with one sync', () => {
  const content = Buffer.concat([slot(0), slot(1), slot(2), slot(3), slot(0)]);
  open(content, [['secret:b', 2]]).close();
  expect(since()).toEqual(['zeros', 'zeros', 'sync']);
});
