/** What is wrong with a configuration, and where. */
import { ConfigError } from './error.js';

/** Keys and positions from the top. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly at: Path;
  /** Why; it never holds the text of a value. */
  readonly reason: string;
}

const textOf = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );

/** Several problems, each with its place. */
export class UnusableConfig extends ConfigError {
  /** In the order of the texts. */
  readonly found: readonly Problem[];

  constructor(found: readonly Problem[]) {
    const byText = new Map(found.map((problem) => [`${textOf(problem.at) || 'the file'}: ${problem.reason}`, problem]));
    super([...byText.keys()]);
    this.found = [...byText.values()];
  }
}

export const throwAny = (found: readonly Problem[]): void => {
  if (found.length > 0) throw new UnusableConfig(found);
};
