/** What full-text search asks for: each is a phrase of one word or more, all of which must be there. */
export interface Phrase {
  readonly text: string;
  /** Ended in `*`: its last word may go on. */
  readonly isPrefix: boolean;
}

/** Something that the index can find: a letter, a digit, or what it counts among them. */
const WORD = /[\p{L}\p{N}\p{Co}_]/u;

/** The words and quoted phrases of a text; those without any letter or digit are left out. A quote may stay open. */
export function phrasesOf(text: string): Phrase[] {
  return [...text.matchAll(/"([^"]*)"?(\*?)|([^\s"]+)/g)].flatMap((found) => {
    const bare = found[3];
    const isPrefix = bare === undefined ? found[2] === '*' : bare.endsWith('*');
    const phrase = (bare ?? found[1] ?? '').replace(/\*+$/, '');
    return WORD.test(phrase) ? [{ text: phrase, isPrefix }] : [];
  });
}

/**
 * A query of SQLite's FTS5 for phrases. Each is a string of its language, so that nothing in it is an operator
 * (https://sqlite.org/fts5.html#full_text_query_syntax).
 */
export function matchQuery(phrases: readonly Phrase[], columns?: readonly string[]): string {
  const strings = phrases.map(({ text, isPrefix }) => {
    // A NUL would end the text within SQLite.
    const quoted = `"${text.replaceAll('\0', ' ').replaceAll('"', '""')}"`;
    return isPrefix ? `${quoted} *` : quoted;
  });
  const all = strings.join(' AND ');
  return columns === undefined ? all : `{${columns.join(' ')}} : (${all})`;
}
