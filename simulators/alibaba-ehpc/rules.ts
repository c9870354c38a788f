import type { Entry } from './entries.js';
import { refuse } from './errors.js';
import type { EhpcGroup } from './seed.js';

/** 4a: what the documents allow. Details name the parameter and never repeat a password. */
const NAME = /^[A-Za-z][A-Za-z0-9.]{5,29}$/;
const PASSWORD = /^[A-Za-z0-9()~!@#$%^&*\-_+=|{}[\]:;'/<>,.?]{8,30}$/;
const CLASSES = [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z0-9]/];
const MAX_ENTRIES = 100;
const MAX_PAGE_SIZE = 50;

const isPassword = (text: string) => PASSWORD.test(text) && CLASSES.filter((kind) => kind.test(text)).length >= 3;
const isGroup = (text: string): text is EhpcGroup => text === 'users' || text === 'wheel';

export const nameOf = (entry: Entry, index: number): string => {
  const { name = '' } = entry;
  return NAME.test(name) ? name : refuse('InvalidParams', `User.${index + 1}.Name`);
};

export const groupOf = (entry: Entry, index: number): EhpcGroup => {
  const { group = '' } = entry;
  return isGroup(group) ? group : refuse('InvalidParams', `User.${index + 1}.Group`);
};

export const passwordOf = (entry: Entry, index: number): string => {
  const { password = '' } = entry;
  return isPassword(password) ? password : refuse('InvalidParams', `User.${index + 1}.Password`);
};

/** 1 to 100 entries and no name twice; the latter is not documented (section 12). */
export const checkEntries = (entries: readonly Entry[]): void => {
  if (entries.length < 1 || entries.length > MAX_ENTRIES) refuse('InvalidParams', 'User');
  if (new Set(entries.map(({ name }) => name)).size !== entries.length) refuse('InvalidParams', 'User');
};

const wholeNumber = (raw: string | undefined, fallback: number, max: number, name: string): number => {
  if (raw === undefined || raw === '') return fallback;
  const value = /^\d{1,9}$/.test(raw) ? Number(raw) : 0;
  return value >= 1 && value <= max ? value : refuse('InvalidParams', name);
};

export interface Page {
  readonly number: number;
  readonly size: number;
}

export const pageOf = (values: ReadonlyMap<string, string>): Page => ({
  number: wholeNumber(values.get('PageNumber'), 1, Number.MAX_SAFE_INTEGER, 'PageNumber'),
  size: wholeNumber(values.get('PageSize'), 10, MAX_PAGE_SIZE, 'PageSize'),
});

export const rowsOf = <Row>(rows: readonly Row[], page: Page): Row[] =>
  rows.slice((page.number - 1) * page.size, page.number * page.size);

export const isAsync = (values: ReadonlyMap<string, string>): boolean => {
  const raw = values.get('Async') ?? 'false';
  return raw === 'true' || (raw === 'false' ? false : refuse('InvalidParams', 'Async'));
};
