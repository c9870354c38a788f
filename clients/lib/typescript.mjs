/** Compiles a consumer and the code that was generated for it, to run it with Node. */
import { writeFileSync } from 'node:fs';
import { bin, CLIENTS, GENERATED } from './paths.mjs';
import { run } from './process.mjs';

/** The compiler is given a configuration of its own for each client, so that one that does not compile costs the others nothing. */
export const compileTypeScript = (name) => {
  const project = `${GENERATED}${name}/tsconfig.json`;
  const outDir = `${GENERATED}${name}/out`;
  const options = { rootDir: CLIENTS, outDir };
  const files = [`${CLIENTS}typescript/${name}.ts`];
  writeFileSync(project, JSON.stringify({ extends: `${CLIENTS}typescript/tsconfig.json`, compilerOptions: options, files }));
  return run(process.execPath, [bin('tsc'), '-p', project]);
};

export const runTypeScript = (name, url) => run(process.execPath, [`${GENERATED}${name}/out/typescript/${name}.js`, url]);
