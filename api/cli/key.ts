/** `hpc-gateway key new`: an API key, and what the configuration needs of it. */
import { hashOf, newKey } from '../../src/callers/keys.js';
import { ID_PATTERN } from '../../src/config/patterns.js';
import { UsageError } from './usage.js';

/** @throws UsageError */
export const makeKey = (id: string): string => {
  if (!new RegExp(ID_PATTERN).test(id))
    throw new UsageError(
      'An id has letters, digits, dots, dashes and underscores, at most 128, and begins with a letter or digit.',
    );
  const key = newKey();
  return `The key, which is shown only now; give it to ${id}:

  ${key}

Its hash is for the configuration. Grant what ${id} needs (docs/configuration.md, "Callers"):

auth:
  callers:
    - id: ${id}
      keys: [ { hash: "${hashOf(key)}" } ]
      rights: [ { clusters: ["*"], verbs: [read] } ]
`;
};
