/** The built gateway with its simulated vendors, on a free port. */
import { ROOT } from './paths.mjs';
import { start } from './process.mjs';

const START_MS = 60_000;
const STOP_MS = 20_000;

/** Without what configures a gateway, which would not be the demo then. */
const environment = () => {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('HPC_GATEWAY_'));
  return { ...Object.fromEntries(kept), HOST: '127.0.0.1', PORT: '0' };
};

const urlIn = (child, done) =>
  new Promise((resolve, reject) => {
    let output = '';
    const fail = (what) => reject(new Error(`The demo ${what}:\n${output}`));
    const timer = setTimeout(() => fail(`did not start in ${START_MS / 1000} s`), START_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        const found = /at (http:\/\/127\.0\.0\.1:\d+)/.exec(output);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[1]);
      });
    }
    done.then(
      (code) => fail(`ended with ${code}`),
      (error) => reject(error),
    );
  });

export const startDemo = async () => {
  const { child, done, end } = start(process.execPath, ['dist/api/server.js'], { cwd: ROOT, env: environment() });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(end, STOP_MS);
    await done;
    clearTimeout(timer);
  };
  return { url: await urlIn(child, done), stop };
};
