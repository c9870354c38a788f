import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from './environment.js';
import { errnoOf } from './error.js';

const REFERENCE = /\$\{(env|file):([^}]*)\}/g;

/** Reports what cannot be resolved and goes on, so that a user sees all mistakes at once. */
type Report = (path: string, reason: string) => void;

const fromEnv = (name: string, env: Environment): string => {
  const value = env[name];
  if (value === undefined || value === '')
    throw new Error(`the environment variable ${name} is ${value === '' ? 'empty' : 'not set'}`);
  return value;
};

const fromFile = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`the file ${resolve(path)} cannot be read (${errnoOf(error)})`);
  }
};

/**
 * Replaces `${env:NAME}` and `${file:PATH}` in every text of a configuration, at any depth. What they give stays text, even where it
 * looks like a number; one line end at the end of a file is dropped.
 */
export const resolveSecrets = (value: unknown, env: Environment, report: Report, path = ''): unknown => {
  if (typeof value === 'string') {
    try {
      return value.replace(REFERENCE, (_, kind: string, name: string) => (kind === 'env' ? fromEnv(name, env) : fromFile(name)));
    } catch (error) {
      report(path, (error as Error).message);
      return value;
    }
  }
  if (Array.isArray(value)) return value.map((item, index) => resolveSecrets(item, env, report, `${path}[${index}]`));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolveSecrets(item, env, report, path === '' ? key : `${path}.${key}`)]),
    );
  }
  return value;
};
