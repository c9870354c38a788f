import { isObject } from '../wire.js';

/** A configuration that cannot be used. Each problem names its key and the reason, never a value that may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The system's name of a failure, such as ENOENT. */
export const errnoOf = (error: unknown): string =>
  isObject(error) && typeof error['code'] === 'string' ? error['code'] : 'unknown reason';
