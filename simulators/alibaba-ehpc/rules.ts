import { type Fault, type Page, pageCap } from '../kit/index.js';
import type { Entry } from './entries.js';
import { refuse } from './errors.js';
import type { EhpcQuirks } from './quirks.js';
import type { EhpcGroup } from './seed.js';

/** 4a: what the documents allow. Details name the parameter and never repeat a password. */
const NAME = /^[A-Za-z][A-Za-z0-9.]{5,29}$/;
const PASSWORD = /^[A-Za-z0-9()~!@#$%^&*\-_+=|{}[\]:;'/<>,.?]{8,30}$/;
const CLASSES = [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z0-9]/];
const MAX_ENTRIES = 100;
const LARGEST_PAGE_SIZE = 50;

const isPassword = (text: string) => PASSWORD.test(text) && CLASSES.filter((kind) => kind.test(text)).length >= 3;
export const isGroup = (text: string): text is EhpcGroup => text === 'users' || text === 'wheel';

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

export interface NumberedPage extends Page {
  readonly number: number;
}

/** Pages are counted in units of the size that is answered, which may be less than the size that was asked for. */
export const pageOf = (values: ReadonlyMap<string, string>, quirks: EhpcQuirks, fault: Fault | null): NumberedPage => {
  const number = wholeNumber(values.get('PageNumber'), 1, Number.MAX_SAFE_INTEGER, 'PageNumber');
  const asked = wholeNumber(values.get('PageSize'), 10, LARGEST_PAGE_SIZE, 'PageSize');
  const size = Math.min(asked, pageCap(quirks.maxPageSize, fault));
  return { number, size, from: (number - 1) * size };
};

export const isAsync = (values: ReadonlyMap<string, string>): boolean => {
  const raw = values.get('Async') ?? 'false';
  return raw === 'true' || (raw === 'false' ? false : refuse('InvalidParams', 'Async'));
};
