/** One element of the `User` parameter; a field is undefined when it was not sent. */
export interface Entry {
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly password: string | undefined;
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

const fromJson = (json: string): Entry[] => {
  try {
    const list: unknown = JSON.parse(json);
    if (!Array.isArray(list)) return [];
    return list.map((item) => {
      const fields: Record<string, unknown> = typeof item === 'object' && item !== null ? item : {};
      const name = text(fields['Name'] ?? fields['UserName'] ?? fields['Username']);
      return { name, group: text(fields['Group']), password: text(fields['Password']) };
    });
  } catch {
    return [];
  }
};

const INDEXED = /^User\.([1-9]\d{0,3})\.(Name|Group|Password)$/;

/** Repeat lists (2c) in index order, gaps allowed; a JSON array in `User` or `Users` is understood as well (9.8, 9.9). */
export const readEntries = (values: ReadonlyMap<string, string>): Entry[] => {
  const json = values.get('User') ?? values.get('Users');
  if (json !== undefined) return fromJson(json);
  const indexes = new Set<number>();
  for (const name of values.keys()) {
    const match = INDEXED.exec(name);
    if (match !== null) indexes.add(Number(match[1]));
  }
  return [...indexes]
    .sort((a, b) => a - b)
    .map((index) => ({
      name: values.get(`User.${index}.Name`),
      group: values.get(`User.${index}.Group`),
      password: values.get(`User.${index}.Password`),
    }));
};
