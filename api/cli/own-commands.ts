/** The commands that need no gateway. What they do is loaded when they run. */
import { Argument, type Command } from 'commander';
import { EXIT } from './exit.js';
import { neededOption } from './options.js';
import { write } from './output.js';
import { ending } from './running.js';

const CONFIG = ['--config <file>', 'the configuration, in place of HPC_GATEWAY_CONFIG'] as const;

const addServing = (program: Command): void => {
  program
    .command('serve')
    .description('serve; the same as no arguments')
    .option(...CONFIG)
    .action(async ({ config }: { config?: string }) => (await import('../serve.js')).serve({ config }));
  program
    .command('demo')
    .description('serve two simulated vendors, whatever HPC_GATEWAY_CONFIG says')
    .action(async () => (await import('../serve.js')).serve({ isDemo: true }));
  program
    .command('check')
    .description('check the configuration, and call each account once')
    .option(...CONFIG)
    .option('--json', 'write one JSON value to standard output')
    .addHelpText(
      'after',
      '\nExit codes: 0 all accounts work, 1 an account does not, 2 the configuration or the command line is wrong',
    )
    .action(ending(async (options) => (await import('./check.js')).checkSetup(options)));
};

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const addKeeping = (program: Command): void => {
  const key = program.command('key').description('API keys');
  key
    .command('new')
    .description('make an API key, and print it with what the configuration needs')
    .addOption(neededOption('--id <name>', 'whose key it is'))
    .action(
      ending(async ({ id }) => {
        write((await import('./key.js')).makeKey(id));
        return EXIT.done;
      }),
    );
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('check that the audit trail of HPC_GATEWAY_CONFIG is whole')
    .option('--log <file>', 'logs of gateways, whose ends of chains are compared, too; may be repeated', collect, [])
    .action(
      ending(async ({ log }) => {
        const { text, isWhole } = await (await import('./audit.js')).verifyAudit(log);
        write(text);
        return isWhole ? EXIT.done : EXIT.notDone;
      }),
    );
  const store = program.command('store').description('the store of operations');
  store
    .command('copy')
    .description('copy the LMDB file of HPC_GATEWAY_CONFIG, whose gateway may be running')
    .argument('<folder>')
    .action(
      ending(async (folder) => {
        write(await (await import('./store.js')).copyStore(folder));
        return EXIT.done;
      }),
    );
};

const addDocuments = (program: Command): void => {
  program
    .command('openapi')
    .description('print the OpenAPI document')
    .option('--yaml', 'as YAML')
    .option('--3.0', 'as OpenAPI 3.0, for generators that need it')
    .action(ending(async (options) => (await import('./document.js')).showDocument(options)));
  program
    .command('completion')
    .description('print a script that completes commands')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      ending(async (shell) => {
        write((await import('./completion.js')).completionFor(shell, program));
        return EXIT.done;
      }),
    );
};

/** @param addOthers is called where the others belong in the list */
export const addOwnCommands = (program: Command, addOthers: (program: Command) => void): void => {
  addServing(program);
  addOthers(program);
  addKeeping(program);
  addDocuments(program);
};
