/** The tree of commands. */
import { Command } from 'commander';
import { version } from '../../src/project.js';
import { addClientCommands } from './client-commands.js';
import { visible } from './output.js';
import { addOwnCommands } from './own-commands.js';

const AFTER = `
Without arguments the gateway serves; HPC_GATEWAY_CONFIG names its configuration, HOST and PORT override it.

Exit codes: 0 done, 1 not done or refused, 2 wrong use, 3 no gateway reached, 130 Ctrl-C`;

/** Behind an `=` of what is quoted may be a secret: `unknown option '--password=…'`. */
const withoutValues = (text: string): string => text.replace(/'([^'=]*)=[\s\S]*'/, "'$1=…'");

/** A name of a program in the help does not depend on how it was started. */
export const createProgram = (): Command => {
  const program = new Command('hpc-gateway')
    .description('One REST resource for the users of HPC clusters at several vendors.')
    .version(version, '--version')
    .exitOverride()
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      // What was mistyped may come from anywhere.
      outputError: (text, write) => write(withoutValues(text).split('\n').map(visible).join('\n')),
    })
    .showHelpAfterError('Add --help to see what it takes.');
  addOwnCommands(program, addClientCommands);
  program.addHelpText('after', AFTER);
  return program;
};
