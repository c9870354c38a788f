/** Of the key that seals stored passwords. */
export const KEY_BYTES = 32;

/** The key, or undefined when the text is not 32 bytes in base64. */
export const parseKey = (text: string): Buffer | undefined => {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES ? bytes : undefined;
};

export const isKey = (text: string): boolean => parseKey(text) !== undefined;
