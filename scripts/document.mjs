/** openapi.yaml in dist/: as it is, as JSON (read in no time at each start), and as OpenAPI 3.0. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { toOpenApi30 } from './openapi-30.mjs';

export const writeDocument = () => {
  mkdirSync('dist', { recursive: true });
  const text = readFileSync('openapi.yaml', 'utf8');
  const document = parse(text);
  writeFileSync('dist/openapi.yaml', text);
  writeFileSync('dist/openapi.json', JSON.stringify(document));
  writeFileSync('dist/openapi-3.0.json', JSON.stringify(toOpenApi30(document)));
};

/** For Jest: tests read the document as it is now, built or not. */
export default writeDocument;
