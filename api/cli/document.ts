/** `hpc-gateway openapi`: the document of this version. */
import { existsSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { projectFile } from '../../src/project.js';
import { EXIT } from './exit.js';
import { write } from './output.js';
import { UsageError } from './usage.js';

export interface DocumentOptions {
  readonly yaml?: true;
  readonly '3.0'?: true;
}

/** @throws UsageError */
export const showDocument = ({ yaml, '3.0': isOld }: DocumentOptions): number => {
  const path = projectFile(`dist/openapi${isOld ? '-3.0.json' : yaml ? '.yaml' : '.json'}`);
  if (!existsSync(path)) throw new UsageError('This installation has no such document: npm run build makes it.');
  const text = readFileSync(path, 'utf8');
  if (yaml && !isOld) write(text);
  else {
    const document: unknown = JSON.parse(text);
    write(yaml ? stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }) : `${JSON.stringify(document, null, 2)}\n`);
  }
  return EXIT.done;
};
