/**
 * Writes to LMDB in a thread of its own, so that the event loop never waits for a disk. What arrives in one message is one transaction and
 * one sync of the disk, and two more where own keys of secrets come and go. Plain JavaScript, since a worker thread loads it as a file,
 * from the sources too.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { open } from 'lmdb';
import { openSlots } from './lmdb-slot-writer.mjs';

const root = open(workerData.options);
const records = root.openDB({ name: 'records', encoding: 'string' });
const indexes = root.openDB({ name: 'indexes', encoding: 'string' });

const { prefix } = workerData.slots;
const markers = [...records.getRange({ start: prefix, end: `${prefix}\uffff` })];
const slots = openSlots(
  workerData.slots,
  markers.map(({ key, value }) => [key, JSON.parse(value).slot]),
);

const write = (changes) => {
  root.transactionSync(() => {
    for (const { put, add, drop } of changes) {
      for (const [key, text] of put) {
        if (text === null) records.removeSync(key);
        else records.putSync(key, text);
      }
      for (const [name, member] of add) indexes.putSync([name, member], 'true');
      for (const [name, member] of drop) indexes.removeSync([name, member]);
    }
  });
};

/** @throws where a slot cannot be erased: the file is opened again, which erases it */
const writeGroup = (changes) => {
  const group = slots.beginGroup();
  try {
    write(group.place(changes));
  } catch (error) {
    group.failed();
    parentPort.postMessage({ stage: 'failed', reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  // Changes that erase nothing need not wait for the others.
  if (group.isErasing) parentPort.postMessage({ stage: 'committed' });
  group.committed();
  parentPort.postMessage({ stage: 'done' });
};

parentPort.on('message', async (changes) => {
  if (changes !== 'close') {
    writeGroup(changes);
    return;
  }
  slots.close();
  await root.close();
  parentPort.close();
});
