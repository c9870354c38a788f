/** Builds to dist/ where something changed. An installation without development dependencies runs what was built before. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { writeDocument } from './document.mjs';

const PROGRAM = 'dist/api/server.js';

const findCompiler = () => {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
};

const TYPES = 'src/generated/openapi.ts';
const TYPES_OF_CLIENT = 'packages/client/src/openapi.ts';

/** The client is published on its own, so that it holds the types of the document itself. */
const copyTypes = () => {
  const isSame = existsSync(TYPES_OF_CLIENT) && readFileSync(TYPES).equals(readFileSync(TYPES_OF_CLIENT));
  if (!isSame) copyFileSync(TYPES, TYPES_OF_CLIENT);
};

const compiler = findCompiler();
if (compiler) {
  copyTypes();
  const { status } = spawnSync(process.execPath, [compiler, '-b', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status === 0) {
    writeDocument();
    // `npm link` gives the name of the command to this file, once.
    chmodSync(PROGRAM, 0o755);
  }
  process.exit(status ?? 1);
}
if (!existsSync(PROGRAM)) {
  console.error('There is no dist/, and TypeScript is not installed to build it. Run npm ci, then npm prune --omit=dev.');
  // While npm installs, dist/ may still be copied in afterwards.
  process.exit(process.env.npm_lifecycle_event === 'prepare' ? 0 : 1);
}
