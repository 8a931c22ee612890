/** A piece of SQL with the values of its `?`, in order. Text from outside is only ever among the values. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** Makes a piece of SQL. */
export function sql(text: string, ...values: readonly (string | number)[]): Sql {
  return { text, values };
}

/** Joins conditions with AND or OR. There must be one at least. */
export function joined(parts: readonly Sql[], word: 'AND' | 'OR'): Sql {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    text: `(${parts.map(({ text }) => text).join(` ${word} `)})`,
    values: parts.flatMap(({ values }) => values),
  };
}

/** What is not so, or not known to be so. */
export function negated({ text, values }: Sql): Sql {
  return { text: `((${text}) IS NOT TRUE)`, values };
}

/** A text as it stands in a GLOB pattern, where `*`, `?` and `[` mean something else. */
export function globLiteral(text: string): string {
  return text.replace(/[*?[]/g, '[$&]');
}
