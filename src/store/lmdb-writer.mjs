/**
 * Writes to LMDB in a thread of its own, so that the event loop never waits for a disk. What arrives in one message is one transaction and
 * one sync of the disk. Plain JavaScript, since a worker thread loads it as a file, from the sources too.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { open } from 'lmdb';

const root = open(workerData.options);
const records = root.openDB({ name: 'records', encoding: 'string' });
const indexes = root.openDB({ name: 'indexes', encoding: 'string' });

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

parentPort.on('message', async (changes) => {
  if (changes === 'close') {
    await root.close();
    parentPort.close();
    return;
  }
  try {
    write(changes);
    parentPort.postMessage(undefined);
  } catch (error) {
    parentPort.postMessage(error instanceof Error ? error.message : String(error));
  }
});
