/** The commands that talk to a gateway. What they do is loaded when they run. */
import { Argument, type Command, Option } from 'commander';
import { aName, atGateway, lines, onCluster, ROLES, roleOption, STATES, wholeNumber, withPassword } from './options.js';
import { ending } from './running.js';

const USERS = () => import('./users.js');
const OPERATIONS = () => import('./operations.js');

const addUsers = (program: Command): void => {
  const users = program.command('users').description('the users of a cluster');
  onCluster(users.command('list'))
    .description('list the users of a cluster')
    .option('--search <text>', 'only users with this text in their name')
    .addOption(roleOption('only users of this role'))
    .option('--limit <count>', 'at most so many; all by default', wholeNumber)
    .addOption(lines())
    .action(ending(async (options) => (await USERS()).listUsers(options)));
  onCluster(users.command('get'))
    .description('show one user')
    .argument('<username>', '', aName)
    .action(ending(async (username, options) => (await USERS()).getUser(username, options)));
  withPassword(onCluster(users.command('create')))
    .description('create a user; asks for the password')
    .argument('<username>', '', aName)
    .addOption(roleOption('member by default'))
    .option('--directory-mode <mode>', 'permissions of the home directory, such as 700')
    .action(ending(async (username, options) => (await USERS()).createUser(username, options)));
  onCluster(users.command('set-role'))
    .description('change the role of a user')
    .argument('<username>', '', aName)
    .addArgument(new Argument('<role>').choices(ROLES))
    .action(ending(async (username, role, options) => (await USERS()).setRole(username, role, options)));
  withPassword(onCluster(users.command('set-password')))
    .description('set the password of a user; asks for it')
    .argument('<username>', '', aName)
    .action(ending(async (username, options) => (await USERS()).setPassword(username, options)));
  onCluster(users.command('delete'))
    .description('delete a user; asks before')
    .argument('<username>', '', aName)
    .option('-y, --yes', 'do not ask')
    .action(ending(async (username, options) => (await USERS()).deleteUser(username, options)));
};

const addOperations = (program: Command): void => {
  const operations = program.command('operations').description('writes, and what became of them');
  atGateway(operations.command('list'))
    .description('list operations, newest first')
    .option('-c, --cluster <id>', 'only those on this cluster')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .addOption(lines())
    .action(ending(async (options) => (await OPERATIONS()).listOperations(options)));
  atGateway(operations.command('show'))
    .description('show an operation and its results')
    .argument('<id>', '', aName)
    .action(ending(async (id, options) => (await OPERATIONS()).showOperation(id, options)));
  atGateway(operations.command('cancel'))
    .description('cancel what was not sent yet')
    .argument('<id>', '', aName)
    .action(ending(async (id, options) => (await OPERATIONS()).cancelOperation(id, options)));
  atGateway(operations.command('wait'))
    .description('wait until an operation is done')
    .argument('<id>', '', aName)
    .option('--timeout <seconds>', 'at most so long', wholeNumber, 3_600)
    .action(ending(async (id, options) => (await OPERATIONS()).waitForOperation(id, options)));
};

const addImport = (program: Command): void => {
  onCluster(program.command('import'))
    .description('create, change and delete the users of a CSV file: checks it, asks, and shows the results')
    .argument('<file>', 'columns: op, username, password, role, directoryMode')
    .option('-y, --yes', 'do not ask after the dry run')
    .option('--dry-run', 'check only')
    .option('--failed', 'show only the results of what is not done')
    .option('--stop-on-error', 'stop at the first item that is not done')
    .option('--timeout <seconds>', 'wait at most so long', wholeNumber, 3_600)
    .action(ending(async (file, options) => (await import('./import.js')).importFile(file, options)));
};

export const addClientCommands = (program: Command): void => {
  atGateway(program.command('clusters'))
    .description('list the clusters of a gateway')
    .action(ending(async (options) => (await import('./clusters.js')).showClusters(options)));
  addUsers(program);
  addImport(program);
  addOperations(program);
};
