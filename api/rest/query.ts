/** Queries in UTF-8. Node would read what is not valid as replacement characters: the caller would get an answer to another question. */
import { parse } from 'node:querystring';
import { invalidRequest } from './validation.js';

const MAX_PARAMETERS = 1_000;

/** The text, or null where it is not percent-encoded UTF-8. */
export const decodeText = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

/** @throws invalid_request, which points at the parameter */
export const parseQuery = (query: string | null): Record<string, unknown> => {
  const parts = (query ?? '').split('&', MAX_PARAMETERS);
  const broken = parts
    .filter((part) => decodeText(part) === null)
    .map((part) => ({
      pointer: `/query/${decodeText(part.split('=', 1)[0] ?? '') ?? ''}`,
      message: 'must be UTF-8 in valid percent-encoding',
    }));
  if (broken.length > 0) throw invalidRequest(broken);
  return { ...parse(query ?? '', '&', '=', { maxKeys: MAX_PARAMETERS }) };
};
