/** Builds to dist/ where something changed. An installation without development dependencies runs what was built before. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { writeDocument } from './document.mjs';

const findCompiler = () => {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
};

const compiler = findCompiler();
if (compiler) {
  const { status } = spawnSync(process.execPath, [compiler, '-b', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status === 0) writeDocument();
  process.exit(status ?? 1);
}
if (!existsSync('dist/api/server.js')) {
  console.error('There is no dist/, and TypeScript is not installed to build it. Run npm ci, then npm prune --omit=dev.');
  // While npm installs, dist/ may still be copied in afterwards.
  process.exit(process.env.npm_lifecycle_event === 'prepare' ? 0 : 1);
}
