import { rmSync } from 'node:fs';
import { copyFolder } from '../support/attack.js';
import { ALL_ECHO_ROUNDS, ECHO_ROUNDS } from '../support/canary/faults.js';
import { filesIn, type Stage } from '../support/canary/stage.js';
import { runs } from '../support/mode.js';
import { type CanaryStore, canary } from './canary.js';

const lmdb = (): CanaryStore => {
  const copies: string[] = [];
  let path = '';
  return {
    config: async (folder) => {
      path = `${folder}/data`;
      return { kind: 'lmdb', path };
    },
    contents: async () => filesIn(path),
    copy: async ({ data }: Stage) => {
      const copy = copyFolder(data);
      copies.push(copy);
      return copy;
    },
    close: async () => {
      for (const copy of copies.splice(0)) rmSync(copy, { recursive: true, force: true });
    },
  };
};

canary('LMDB', lmdb(), { firstRound: 0, echoRounds: runs(ECHO_ROUNDS, ALL_ECHO_ROUNDS), kills: runs(1, 5) });
