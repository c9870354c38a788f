import { type Fault, type Page, pageCap } from '../kit/index.js';
import { refuse } from './errors.js';
import type { ShanheQuirks } from './quirks.js';
import type { ShanheCall } from './urls.js';

/** 4.2: what addUser and modifyUser take. Messages never repeat a password. */
const USERNAME = /^[A-Za-z0-9_]{1,8}$/;
/** 8.21: the union of both published symbol lists. */
const PASSWORD = /^[A-Za-z0-9!@#$%^&*()]{12,30}$/;
const CLASSES = [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z0-9]/];
const MOD = /^[0-7]{3,4}$/;

export const bodyText = (call: ShanheCall, name: string): string => {
  const value = call.body?.[name];
  return typeof value === 'string' && value !== '' ? value : refuse('1100', `parameter [${name}] is missing or no string`);
};

export const newUsername = (call: ShanheCall): string => {
  const username = bodyText(call, 'username');
  return USERNAME.test(username) ? username : refuse('1101', 'username must be 1-8 letters, digits or underscores');
};

export const passwordIn = (call: ShanheCall, field: 'password' | 'new_password', quirks: ShanheQuirks): string => {
  const password = bodyText(call, field);
  const classes = !quirks.allClasses || CLASSES.every((kind) => kind.test(password));
  return PASSWORD.test(password) && classes ? password : refuse('1101', `${field} breaks the password rule`);
};

export const modIn = (call: ShanheCall): string | null => {
  const value = call.body?.['mod'];
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && MOD.test(value) ? value : refuse('1101', 'mod must be an octal permission such as 700');
};

const integer = (call: ShanheCall, name: string, fallback: number, min: number): number => {
  const raw = call.query.get(name);
  if (raw === undefined || raw === '') return fallback;
  const value = /^-?\d{1,9}$/.test(raw) ? Number(raw) : Number.NaN;
  return value >= min ? value : refuse('1101', `parameter [${name}] has a wrong value`);
};

/** Section 7: 10 rows by default. */
export const pageOf = (call: ShanheCall, quirks: ShanheQuirks, fault: Fault | null): Page => ({
  from: integer(call, 'offset', 0, 0),
  size: Math.min(integer(call, 'limit', 10, 1), pageCap(quirks.maxLimit, fault)),
});

export const isDescending = (call: ShanheCall, fallback: 0 | 1): boolean => integer(call, 'reverse', fallback, 0) === 1;
