/** The TypeScript clients: what generates, compiles and runs them. */
import { bin, CLIENTS, DOCUMENT, GENERATED } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';
import { compileTypeScript, runTypeScript } from '../lib/typescript.mjs';

const client = (name, generator, generate) => ({
  name,
  language: 'TypeScript',
  generator,
  folder: `${GENERATED}${name}`,
  extension: '.ts',
  needs: {},
  generate: () => generate(`${GENERATED}${name}`),
  compile: () => compileTypeScript(name),
  run: (url) => runTypeScript(name, url),
});

const generateWith = (program, ...args) => run(process.execPath, [bin(program), ...args], { cwd: CLIENTS });
const generateTypes = (folder) => generateWith('openapi-typescript', DOCUMENT, '-o', `${folder}/openapi.ts`);

export const typescript = [
  client('openapi-fetch', 'openapi-typescript, openapi-fetch', generateTypes),
  client('axios', 'openapi-typescript, axios', generateTypes),
  client('hey-api', '@hey-api/openapi-ts', (folder) =>
    generateWith('openapi-ts', '-i', DOCUMENT, '-o', `${folder}/api`, '-c', '@hey-api/client-fetch', '--no-log-file'),
  ),
  client('orval', 'orval (axios-functions)', () => generateWith('orval', '--config', 'typescript/orval.config.cjs')),
  client('swagger-typescript-api', 'swagger-typescript-api', (folder) =>
    generateWith('swagger-typescript-api', 'generate', '-p', DOCUMENT, '-o', folder, '-n', 'api.ts', '--responses'),
  ),
];
