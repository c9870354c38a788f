import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks/index.js';

const STORES = ['memory', 'lmdb'];

export interface Options {
  readonly isQuick: boolean;
  readonly stores: readonly string[];
  readonly attacks: readonly string[];
  readonly jsonFile: string | undefined;
}

export const USAGE = `npm run abuse -- [--quick] [--json FILE] [--store ${STORES.join('|')}] [ATTACK …]
attacks: ${Object.keys(ATTACKS).join(', ')}`;

/** @throws Error that says what is wrong */
export const readOptions = (args: string[]): Options => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'string' }, store: { type: 'string', multiple: true } },
  });
  const { quick = false, json, store = STORES } = values;
  const unknown = [
    ...store.filter((name) => !STORES.includes(name)),
    ...positionals.filter((name) => !Object.hasOwn(ATTACKS, name)),
  ];
  if (unknown.length > 0) throw new Error(`There is no store or attack ${unknown.join(', ')}.`);
  // In the order of the catalogue: the flood last.
  const attacks = Object.keys(ATTACKS).filter((name) => positionals.length === 0 || positionals.includes(name));
  return { isQuick: quick, stores: store, attacks, jsonFile: json };
};
