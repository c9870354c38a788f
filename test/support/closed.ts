/**
 * The document leaves its answers open, since later versions may add members. Of this version the tests want those that it names, and no
 * others.
 */
type Json = Record<string, unknown>;

const isAnObject = ({ properties, additionalProperties }: Json): boolean =>
  typeof properties === 'object' && additionalProperties === undefined;

/** @param text a document with schemas, in JSON */
export const closed = (text: string): Json =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && isAnObject(value as Json) && 'type' in value
      ? { ...value, additionalProperties: false }
      : value,
  ) as Json;
