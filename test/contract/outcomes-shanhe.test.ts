import { backendNamed } from '../support/backends.js';
import { outcomes } from './outcomes.js';

outcomes(backendNamed('shanhe-hpc, gateway search'), {
  add: '/user/addUser',
  remove: '/user/deleteUser',
  setPassword: '/user/modifyUser',
  list: '/user',
});
