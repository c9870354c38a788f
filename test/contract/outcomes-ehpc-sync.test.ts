import { backendNamed } from '../support/backends.js';
import { outcomes } from './outcomes.js';

outcomes(backendNamed('alibaba-ehpc, rpc-v1, sync listing'), {
  add: 'AddUsers',
  remove: 'DeleteUsers',
  setPassword: 'ModifyUserPasswords',
  list: 'ListUsers',
});
