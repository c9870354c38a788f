/** openapi-generator 4.3.1, the last release whose package of npm carries the program itself instead of loading it. */
import { CLIENTS, DOCUMENT_30 } from './paths.mjs';
import { run } from './process.mjs';

const JAR = `${CLIENTS}node_modules/@openapitools/openapi-generator-cli/bin/openapi-generator.jar`;

export const openapiGenerator = (generator, folder, options) => {
  const args = ['generate', '-g', generator, '-i', DOCUMENT_30, '-o', folder];
  // Otherwise a comment with the time is in each file.
  const properties = { hideGenerationTimestamp: true, ...options };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return run('java', ['-jar', JAR, ...args, '--additional-properties', list.join(',')]);
};
