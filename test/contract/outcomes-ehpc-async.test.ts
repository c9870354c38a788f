import { backendNamed } from '../support/backends.js';
import { outcomes } from './outcomes.js';

outcomes(backendNamed('alibaba-ehpc, acs3, async listing'), {
  add: 'AddUsers',
  remove: 'DeleteUsers',
  setPassword: 'ModifyUserPasswords',
  list: 'ListUsersAsync',
});
