/** The Python client: what generates, compiles and runs it. */
import { openapiGenerator } from '../lib/openapi-generator.mjs';
import { CLIENTS, GENERATED } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';

const FOLDER = `${GENERATED}python`;
const PACKAGES = '/usr/lib/python3/dist-packages';
/** Debian's: another one does not see the packages of Debian. */
const PYTHON = '/usr/bin/python3';

export const python = {
  name: 'python',
  language: 'Python',
  generator: 'openapi-generator 4.3.1 python',
  folder: `${FOLDER}/hpc_gateway`,
  extension: '.py',
  needs: {
    'default-jdk-headless': '/usr/bin/java',
    python3: PYTHON,
    'python3-certifi': `${PACKAGES}/certifi`,
    'python3-dateutil': `${PACKAGES}/dateutil`,
    'python3-six': `${PACKAGES}/six.py`,
    'python3-urllib3': `${PACKAGES}/urllib3`,
  },
  generate: () => openapiGenerator('python', FOLDER, { packageName: 'hpc_gateway' }),
  compile: () => run(PYTHON, ['-m', 'compileall', '-q', `${FOLDER}/hpc_gateway`]),
  run: (url) => run(PYTHON, [`${CLIENTS}python/consumer.py`, url], { env: { PYTHONPATH: FOLDER } }),
};
