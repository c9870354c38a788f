/** What requests ask for of users → items of an operation, and what these need of a cluster. */
import type { NewUser } from '../adapter.js';
import type { BatchItem, Role, UserCreate } from '../model.js';
import type { Secret, WithSecret } from '../secret.js';
import type { NewItem } from '../writes/new-operation.js';
import type { Requirement } from './admission.js';
import { type Wanted, wantedRequirement } from './ensure.js';
import { checkNewUser, checkPassword, checkRole, checkUsername } from './rules.js';
import type { StepName, UserContent } from './steps/step.js';

/** A user to create, and an item of a batch, as requests have them, with their passwords wrapped. */
export type UserToCreate = WithSecret<UserCreate>;
export type UserItem = WithSecret<BatchItem>;

export const toNewUser = ({ username, password, role = 'member', directoryMode }: UserToCreate): NewUser => ({
  username,
  password,
  role,
  ...(directoryMode !== undefined && { directoryMode }),
});

export const createItem = ({ username, password, role, directoryMode }: NewUser): NewItem => {
  const content: UserContent = { role, ...(directoryMode !== undefined && { directoryMode }) };
  return { op: 'create', name: username, content, secret: password, steps: ['create' satisfies StepName] };
};

/** Of an update of both the role comes first. */
export const updateItem = ({ username, role, password }: { username: string; role?: Role; password?: Secret }): NewItem => {
  const steps: StepName[] = [
    ...(role === undefined ? [] : (['setRole'] as const)),
    ...(password === undefined ? [] : (['setPassword'] as const)),
  ];
  const content: UserContent = role === undefined ? {} : { role };
  return { op: 'update', name: username, content, ...(password !== undefined && { secret: password }), steps };
};

export const deleteItem = ({ username }: { username: string }): NewItem => ({
  op: 'delete',
  name: username,
  steps: ['delete' satisfies StepName],
});

/** What is done is decided when it is its turn. */
export const ensureItem = ({ username, role, password, directoryMode }: Wanted, isNew = false): NewItem => ({
  op: 'ensure',
  name: username,
  content: {
    ...(role !== undefined && { role }),
    ...(directoryMode !== undefined && { directoryMode }),
    ...(isNew && { isNew }),
  } satisfies UserContent,
  ...(password !== undefined && { secret: password }),
  steps: ['ensure' satisfies StepName],
});

export const toItem = (item: UserItem): NewItem => {
  switch (item.op) {
    case 'ensure':
      return ensureItem(item);
    case 'create':
      return createItem(toNewUser(item));
    case 'update':
      return updateItem(item);
    case 'delete':
      return deleteItem(item);
  }
};

export const requirementOf = (item: UserItem): Requirement => {
  switch (item.op) {
    case 'ensure':
      return wantedRequirement(item);
    case 'create':
      return { features: ['create'], check: (capabilities) => checkNewUser(toNewUser(item), capabilities) };
    case 'update': {
      const { username, role, password } = item;
      return {
        features: [
          ...(role === undefined ? [] : (['setRole'] as const)),
          ...(password === undefined ? [] : (['setPassword'] as const)),
        ],
        check: (capabilities) => {
          checkUsername(username);
          if (role !== undefined) checkRole(role, capabilities);
          if (password !== undefined) checkPassword(password, capabilities);
        },
      };
    }
    case 'delete':
      return { features: ['delete'], check: () => checkUsername(item.username) };
  }
};
