/** openapi.yaml as JSON in dist/: read in no time at each start. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

export const writeDocument = () => {
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/openapi.json', JSON.stringify(parse(readFileSync('openapi.yaml', 'utf8'))));
};

/** For Jest: tests read the document as it is now, built or not. */
export default writeDocument;
