/** Refuses by the capability data what a cluster cannot take, before its vendor is asked. */
import type { NewUser } from '../adapter.js';
import { GatewayError } from '../errors.js';
import type { Capabilities, FieldError, PasswordRule, Role, UserFeature, UsernameRule } from '../model.js';
import type { Secret } from '../secret.js';

const FEATURE_WORDS: Readonly<Record<UserFeature, string>> = {
  list: 'list users',
  get: 'read a user',
  create: 'create a user',
  setRole: 'change the role of a user',
  setPassword: 'set the password of a user',
  delete: 'delete a user',
};

const CLASSES = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/];

/** Characters, not UTF-16 units. */
const lengthOf = (text: string): number => [...text].length;

const fits = (text: string, { minLength, maxLength, pattern }: UsernameRule | PasswordRule): boolean => {
  const length = lengthOf(text);
  return (
    text.isWellFormed() && length >= minLength && length <= maxLength && (pattern === null || new RegExp(pattern, 'u').test(text))
  );
};

const usernameErrors = (username: string, rule: UsernameRule): FieldError[] =>
  fits(username, rule) ? [] : [{ pointer: '/username', message: rule.description }];

const CONTROL = /\p{Cc}/u;

/** A line end is most often one that a file or a shell has left behind; no vendor says what it makes of it. */
const passwordErrors = (secret: Secret, rule: PasswordRule): FieldError[] => {
  const password = secret.unwrap();
  if (CONTROL.test(password))
    return [{ pointer: '/password', message: 'A password has no line ends, tabs or other control characters.' }];
  return fits(password, rule) && CLASSES.filter((kind) => kind.test(password)).length >= rule.minClasses
    ? []
    : [{ pointer: '/password', message: rule.description }];
};

const roleErrors = (role: Role, { roles }: Capabilities): FieldError[] =>
  roles.includes(role) ? [] : [{ pointer: '/role', message: `This cluster gives these roles: ${roles.join(', ')}.` }];

const directoryModeErrors = (mode: string | undefined, { directoryMode }: Capabilities): FieldError[] =>
  mode === undefined || directoryMode
    ? []
    : [{ pointer: '/directoryMode', message: 'This cluster does not take a directoryMode.' }];

const refuse = (errors: readonly FieldError[]): void => {
  if (errors.length > 0) throw new GatewayError('invalid_user', errors.map(({ message }) => message).join(' '), { errors });
};

/** @throws not_supported */
export const requireFeature = (feature: UserFeature, { features }: Capabilities, where: string): void => {
  if (!features.includes(feature)) throw new GatewayError('not_supported', `${where} cannot ${FEATURE_WORDS[feature]}.`);
};

/** @param user without a password where that was checked before @throws invalid_user with every rule that is broken */
export const checkNewUser = (
  user: Omit<NewUser, 'password'> & { readonly password?: Secret },
  capabilities: Capabilities,
): void =>
  refuse([
    ...usernameErrors(user.username, capabilities.username),
    ...(user.password === undefined ? [] : passwordErrors(user.password, capabilities.password)),
    ...roleErrors(user.role, capabilities),
    ...directoryModeErrors(user.directoryMode, capabilities),
  ]);

/** A name that no vendor can be sent; a lone surrogate has no UTF-8. @throws invalid_user */
export const checkUsername = (username: string): void =>
  refuse(username.isWellFormed() ? [] : [{ pointer: '/username', message: 'A username is well-formed Unicode text.' }]);

/** @throws invalid_user */
export const checkRole = (role: Role, capabilities: Capabilities): void => refuse(roleErrors(role, capabilities));

/** @throws invalid_user */
export const checkPassword = (password: Secret, capabilities: Capabilities): void =>
  refuse(passwordErrors(password, capabilities.password));
