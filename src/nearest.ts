/** What somebody may have meant. */
import { closestMatch } from 'leven';

/** With more mistakes it is another text. */
const MAX_MISTAKES = 3;
const MAX_LENGTH = 128;

/** The candidate that is most like the text, upper and lower case alike; undefined where none is, or where it is one of them. */
export const nearest = (text: string, candidates: Iterable<string>): string | undefined => {
  const known = new Map([...candidates].map((candidate) => [candidate.toLowerCase(), candidate]));
  if (text.length > MAX_LENGTH || known.get(text.toLowerCase()) === text) return undefined;
  // A short text has few letters to be recognised by.
  const maxDistance = Math.min(MAX_MISTAKES, Math.ceil(text.length / 3));
  const found = closestMatch(text.toLowerCase(), [...known.keys()], { maxDistance });
  return found === undefined ? undefined : known.get(found);
};

/** As the end of a message; nothing where nobody knows. */
export const didYouMean = (text: string, candidates: Iterable<string>): string => {
  const found = nearest(text, candidates);
  return found === undefined ? '' : ` Did you mean ${found}?`;
};
