import { backendNamed } from '../support/backends.js';
import { outcomes } from './outcomes.js';

const ACTIONS = { add: 'AddUsers', remove: 'DeleteUsers', setPassword: 'ModifyUserPasswords' };

outcomes(backendNamed('alibaba-ehpc, acs3, async listing'), { ...ACTIONS, list: 'ListUsersAsync' });
outcomes(backendNamed('alibaba-ehpc, rpc-v1, sync listing'), { ...ACTIONS, list: 'ListUsers' });
