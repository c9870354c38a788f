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
export const showDocument = (options: DocumentOptions): number => {
  const path = projectFile(options['3.0'] ? 'dist/openapi-3.0.json' : 'dist/openapi.json');
  if (!existsSync(path))
    throw new UsageError('This installation has no OpenAPI 3.0 document; the one of 3.1 is there without --3.0.');
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  write(
    options.yaml ? stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }) : `${JSON.stringify(document, null, 2)}\n`,
  );
  return EXIT.done;
};
