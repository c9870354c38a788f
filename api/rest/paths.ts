/** Paths that nobody serves, and what may have been meant. */
import { nearest } from '../../src/nearest.js';

/** No path of the document has more. */
const MAX_PARTS = 8;

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

const isParameter = (part: string): boolean => part.startsWith('{');

/** The given parts as the template has them; undefined where it is another path. */
const spelt = (template: readonly string[], given: readonly string[]): string[] | undefined => {
  if (template.length !== given.length) return undefined;
  const parts = template.map((part, at) => {
    const own = given[at] as string;
    return isParameter(part) || own === part ? own : nearest(own, [part]);
  });
  return parts.includes(undefined) ? undefined : (parts as string[]);
};

const mistakesIn = (given: readonly string[], meant: readonly string[]): number =>
  meant.filter((part, at) => part !== given[at]).length;

/**
 * The path that is most like this one, with its own names in it; undefined where none is. A part before it, as in `/api/clusters`, and
 * slashes too many are mistakes, too.
 */
export const nearestPath = (path: string, templates: readonly string[]): string | undefined => {
  const given = partsOf(path);
  if (given.length > MAX_PARTS) return undefined;
  let best: { readonly meant: string; readonly mistakes: number } | undefined;
  for (const [prefix, parts] of [given, given.slice(1)].entries()) {
    for (const template of templates) {
      const meant = spelt(partsOf(template), parts);
      if (!meant || meant.length === 0) continue;
      const mistakes = mistakesIn(parts, meant) + prefix;
      if (!best || mistakes < best.mistakes) best = { meant: `/${meant.join('/')}`, mistakes };
    }
  }
  return best?.meant === path ? undefined : best?.meant;
};
