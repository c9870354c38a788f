/** Texts of strangers that neither a terminal nor a log nor a page can stumble over. */

/** What terminals take for commands (ECMA-48): `CSI` with its parameters, and the strings that `OSC` and its like begin. */
const [CSI, STRING, END] = ['\\x1b\\[|\\x9b', '\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f]', '\\x07|\\x1b\\\\|\\x9c'];
const ESCAPES = new RegExp(`(?:${CSI})[0-?]*[ -/]*[@-~]|(?:${STRING})[^\\x07\\x1b\\x9c]*(?:${END})?`, 'g');

/** Control characters, line separators, and what changes the direction of the text after it. */
const HARMFUL = /[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu;
/** One of them, or half of a character: all but the ranges between. */
const SUSPICIOUS = /[^ -~\u00a0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\uffff]/;
const NOT_HARMLESS = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;

export const isHarmless = (text: string): boolean => !SUSPICIOUS.test(text) || !NOT_HARMLESS.test(text);

/** Well-formed, on one line, without control characters. */
export const harmless = (text: string): string =>
  isHarmless(text) ? text : text.replace(ESCAPES, '').toWellFormed().replace(HARMFUL, ' ');

/** At most `max` UTF-16 units, the mark of a cut included. */
export const shortened = (text: string, max: number): string => {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
};
