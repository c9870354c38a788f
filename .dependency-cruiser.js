/** The arrows of docs/architecture.md; `npm run arch` and a test keep them. */
const never = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

export default {
  forbidden: [
    never(
      'core-is-alone',
      { path: '^src/' },
      { path: '^(api|adapters|simulators|test|bench|abuse|packages)/' },
      'The core imports none of the others.',
    ),
    never(
      'adapters-see-the-core',
      { path: '^adapters/' },
      { path: '^(api|simulators|test|bench|abuse|packages)/' },
      'An adapter imports the core only.',
    ),
    never(
      'adapters-apart',
      { path: '^adapters/([^/]+)/' },
      { path: '^adapters/[^/]+', pathNot: '^adapters/$1/' },
      'One adapter does not know another.',
    ),
    never(
      'wire-types-stay-home',
      { pathNot: '^(adapters|test)/' },
      { path: '^adapters/[^/]+/(?!index\\.ts$)' },
      "A vendor's wire types do not leave its folder.",
    ),
    never(
      'simulators-are-strangers',
      { path: '^simulators/' },
      { path: '^(api|src|adapters|test|bench|abuse)/' },
      'A simulator shares no code with us.',
    ),
    never(
      'simulators-only-in-the-demo',
      { path: '^api/', pathNot: '^api/demo\\.ts$' },
      { path: '^simulators/' },
      'The composition root alone starts the demo.',
    ),
    never(
      'client-is-alone',
      { path: '^packages/client/' },
      { pathNot: '^(packages/client/|node_modules/openapi-fetch/)' },
      'The client is published on its own.',
    ),
    never(
      'client-in-the-shell-command',
      { pathNot: '^(api/cli|examples|packages|test)/' },
      { path: '^packages/' },
      'The gateway is no client of its own.',
    ),
    never(
      'terminal-in-the-shell-command',
      { pathNot: '^(api/cli|test)/' },
      { path: 'node_modules/(commander|cli-table3|read)/' },
      'Arguments, tables and prompts are known in one folder.',
    ),
    never(
      'examples-are-strangers',
      { path: '^examples/' },
      { path: '^(api|src|adapters|simulators|test)/' },
      'They show what anybody can do.',
    ),
    never('nobody-imports-tests', { pathNot: '^test/' }, { path: '^test/' }, 'Tests are not imported.'),
    never(
      'attackers-are-strangers',
      { path: '^abuse/' },
      { path: '^(api|src|adapters|test|bench)/' },
      'What attacks the gateway knows only what travels on the wire.',
    ),
    never(
      'express-in-api',
      { pathNot: '^(api|test|bench)/' },
      { path: 'node_modules/(express|swagger-ui-express)/' },
      'Express lives in api/ only.',
    ),
    never(
      'axios-in-http',
      { pathNot: '^(src/vendor|test|bench/peers)/' },
      { path: 'node_modules/axios/' },
      'One module speaks HTTP to vendors.',
    ),
    never(
      'stores-in-store',
      { pathNot: '^(src/store|test)/' },
      { path: 'node_modules/(lmdb|ioredis)/' },
      'What operations are kept in is known in one folder.',
    ),
    never(
      'engine-knows-no-things',
      { path: '^src/(writes|journal)/' },
      { path: '^src/(users|clusters)/' },
      'The engine and its journal write things of any kind.',
    ),
    never(
      'journal-below-the-engine',
      { path: '^src/(journal|store)/' },
      { path: '^src/(writes|idempotency)/' },
      'What is kept does not know who works on it.',
    ),
    never('store-at-the-bottom', { path: '^src/store/' }, { path: '^src/journal/' }, 'A store does not know its records.'),
    never(
      'official-clients-in-tests',
      { pathNot: '^(test|bench)/' },
      { path: 'node_modules/@alicloud/', pathNot: 'node_modules/@alicloud/credentials/' },
      'They are a second opinion, not a part.',
    ),
    never(
      'credential-chain-in-its-adapter',
      { pathNot: '^(adapters/alibaba-ehpc|test)/' },
      { path: 'node_modules/@alicloud/credentials/' },
      "Alibaba's own chain of credentials is asked by its adapter only, where an account is configured so.",
    ),
    never('no-circles', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }, 'Arrows go in one direction.'),
    never('nothing-unresolved', {}, { couldNotResolve: true }, 'Every import leads somewhere.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.d.ts'],
      conditionNames: ['import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
