/** Leaving `unknown`: narrowing at the edge to a vendor's JSON. */
import { GatewayError, type GatewayErrorFacts } from './errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body as a JSON object, or null when it is none (HTML, cut short, an array). */
export const parseObject = (body: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

/** The rows of a list, null for one that is no object. Null for what is no list. */
export const rowsOf = (value: unknown): readonly (JsonObject | null)[] | null =>
  Array.isArray(value) ? value.map((row: unknown) => (isObject(row) ? row : null)) : null;

/** Text, or a number as text; null for anything else and for empty text. */
export const text = (value: unknown): string | null => {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
};

/** A whole number from 0 up, sent as number or text; null for anything else. */
export const count = (value: unknown): number | null => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
};

export const badResponse = (what: string, facts: GatewayErrorFacts = {}): GatewayError =>
  new GatewayError('vendor_bad_response', `The vendor's answer is not what its documentation says: ${what}.`, facts);
