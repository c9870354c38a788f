import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObject } from '../wire.js';
import type { Environment } from './environment.js';
import { errnoOf } from './error.js';
import type { Path, Problem } from './problem.js';

const REFERENCE = /\$\{(env|file):([^}]*)\}/g;

/** Reports what cannot be resolved and continues, so that a user sees all mistakes at once. */
type Report = (problem: Problem) => void;

/** Editors and shells leave them behind; no secret ends with one. */
const withoutLineEnds = (text: string): string => text.replace(/[\r\n]+$/, '');

const fromEnv = (name: string, env: Environment): string => {
  const value = env[name];
  const text = value && withoutLineEnds(value);
  if (!text) throw new Error(`the environment variable ${name} is ${text === '' ? 'empty' : 'not set'}`);
  return text;
};

const fromFile = (path: string): string => {
  try {
    return withoutLineEnds(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`the file ${path} cannot be read (${errnoOf(error)})`);
  }
};

/** Other tools' ways to write one, and ours with a mistake: sent as they are, the vendor would only say that the key is wrong. */
const NOT_OURS = [/\$\{(?!(?:env|file):[^}]*\})/, /^\$\w+$/, /\{\{/];

const HELP = `has what is not a placeholder of ours; write \${env:NAME} or \${file:PATH}`;

/** `{{NAME}}` without quotes is a map in YAML, whose one key is a map. */
const isBraced = (value: unknown): boolean => {
  const [[key, item] = ['', value], ...others] = isObject(value) ? Object.entries(value) : [];
  return /^\{.*\}$/s.test(key) && item === null && others.length === 0;
};

/** @param folder what a relative PATH begins at */
const resolveText = (text: string, env: Environment, folder: string): string => {
  if (NOT_OURS.some((pattern) => pattern.test(text))) throw new Error(HELP);
  return text.replace(REFERENCE, (_, kind: string, name: string) =>
    kind === 'env' ? fromEnv(name, env) : fromFile(resolve(folder, name)),
  );
};

/**
 * Replaces `${env:NAME}` and `${file:PATH}` in every text of a configuration, at any depth. What they give stays text, even where it
 * looks like a number; line ends at their end are dropped.
 */
export const resolveSecrets = (value: unknown, env: Environment, folder: string, report: Report, path: Path = []): unknown => {
  if (typeof value === 'string') {
    try {
      return resolveText(value, env, folder);
    } catch (error) {
      report({ at: path, reason: (error as Error).message });
      return value;
    }
  }
  if (isBraced(value)) {
    report({ at: path, reason: HELP });
    return Object.keys(value as object).join();
  }
  const inside = (item: unknown, key: string | number): unknown => resolveSecrets(item, env, folder, report, [...path, key]);
  if (Array.isArray(value)) return value.map(inside);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(item, key)]));
};
