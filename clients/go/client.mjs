/** The Go client: what generates, compiles and runs it. */
import { openapiGenerator } from '../lib/openapi-generator.mjs';
import { CLIENTS, GENERATED } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';

const FOLDER = `${GENERATED}go`;
const PACKAGE = `${FOLDER}/src/hpcgateway`;
const PROGRAM = `${FOLDER}/consumer`;
const MAIN = `${CLIENTS}go/main.go`;
const DEBIAN = '/usr/share/gocode';
// Debian's packages of Go are sources in a GOPATH, and nothing is to be loaded from elsewhere.
const env = {
  GO111MODULE: 'off',
  GOPATH: `${FOLDER}:${CLIENTS}go/support:${DEBIAN}`,
  GOFLAGS: '',
  // Without a C compiler.
  CGO_ENABLED: '0',
  // Kept between runs: otherwise Go's own packages are compiled each time.
  GOCACHE: `${CLIENTS}node_modules/.cache/go`,
};

export const go = {
  name: 'go',
  language: 'Go',
  generator: 'openapi-generator 4.3.1 go',
  folder: PACKAGE,
  extension: '.go',
  needs: {
    'default-jdk-headless': '/usr/bin/java',
    'golang-go': '/usr/bin/go',
    'golang-golang-x-oauth2-dev': `${DEBIAN}/src/golang.org/x/oauth2`,
  },
  generate: () => openapiGenerator('go', PACKAGE, { packageName: 'hpcgateway' }),
  compile: async () => {
    await run('go', ['vet', 'hpcgateway'], { env });
    await run('go', ['vet', MAIN], { env });
    await run('go', ['build', '-o', PROGRAM, MAIN], { env });
  },
  run: (url) => run(PROGRAM, [url]),
};
