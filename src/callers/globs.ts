/** Patterns of ids in which `*` is any text. */

/**
 * Matches without backtracking: of a text by a stranger, a regular expression with several `*` would try all ways to divide it.
 * @returns whether the text fits as a whole
 */
export const fitsGlob = (glob: string, text: string): boolean => {
  const [first = '', ...others] = glob.split('*');
  const last = others.pop();
  if (last === undefined) return text === glob;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + last.length <= text.length;
};
