/** Formats of the document that are its own: what a text has to be, and what is said of one that is not. */

const CONTROL = /\p{Cc}/u;

/** RFC 9110, section 8.8.3; or `*`. */
const ENTITY_TAGS = /^\s*(?:\*\s*|(?:,\s*)*(?:W\/)?"[^"]*"\s*(?:,\s*(?:(?:W\/)?"[^"]*"\s*)?)*)$/;
const ANY_ENTITY = /^\s*\*\s*$/;
/** A string of RFC 9651, whose quotes may be left out. */
const IDEMPOTENCY_KEY = /^(?:[\x21\x23-\x7e]{1,255}|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255}")$/;

interface Format {
  readonly fits: (text: string) => boolean;
  readonly words: string;
}

export const FORMATS: Readonly<Record<string, Format>> = {
  line: {
    fits: (text) => text.isWellFormed() && !CONTROL.test(text),
    words: 'must be well-formed Unicode text without control characters',
  },
  password: { fits: (text) => text.isWellFormed(), words: 'must be well-formed Unicode text' },
  'entity-tags': { fits: (text) => ENTITY_TAGS.test(text), words: 'must be entity tags in double quotes, or *' },
  'any-entity': { fits: (text) => ANY_ENTITY.test(text), words: 'must be *' },
  'idempotency-key': {
    fits: (text) => IDEMPOTENCY_KEY.test(text),
    words:
      'must have 1 to 255 printable ASCII characters, in double quotes (with `"` and `\\` escaped by `\\`) or without quotes and blanks',
  },
};

/** Formats of OpenAPI that say nothing new here: times are read where they are used, integers have bounds. */
export const OTHER_FORMATS = ['date-time', 'uri-reference', 'int32', 'int64'] as const;
