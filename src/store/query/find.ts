import type { Phrase } from './words.ts';

/** A place in a text, UTF-16 units. */
export interface Hit {
  readonly start: number;
  readonly end: number;
}

const LETTER = String.raw`[\p{L}\p{N}\p{Co}_]`;
/** To compare without accents takes a copy of the text, letter by letter. */
const MAX_FOLDED = 1 << 20;

/** Finds the first place of one of the phrases, as the index takes words: any case, with accents or without. */
export function findPhrase(text: string, phrases: readonly Phrase[]): Hit | undefined {
  const hits = phrases.flatMap((phrase) => findOne(text, phrase) ?? []);
  return hits.reduce<Hit | undefined>(
    (first, hit) => (first === undefined || hit.start < first.start ? hit : first),
    undefined,
  );
}

function findOne(text: string, phrase: Phrase): Hit | undefined {
  const pattern = patternOf(phrase);
  if (pattern === undefined) return undefined;
  const found = pattern.exec(text);
  if (found !== null) return { start: found.index, end: found.index + found[0].length };
  return text.length > MAX_FOLDED
    ? undefined
    : findFolded(text, patternOf({ ...phrase, text: bare(phrase.text) }));
}

function patternOf({ text, isPrefix }: Phrase): RegExp | undefined {
  const words = text.match(new RegExp(`${LETTER}+`, 'gu')) ?? [];
  if (words.length === 0) return undefined;
  const between = `[^\\p{L}\\p{N}\\p{Co}_]{1,64}`;
  const end = isPrefix ? '' : `(?!${LETTER})`;
  return new RegExp(`(?<!${LETTER})${words.join(between)}${end}`, 'iu');
}

function findFolded(text: string, pattern: RegExp | undefined): Hit | undefined {
  const places: number[] = [];
  let folded = '';
  let at = 0;
  for (const char of text) {
    const plain = bare(char);
    folded += plain;
    for (let i = 0; i < plain.length; i++) places.push(at);
    at += char.length;
  }
  places.push(text.length);
  const found = pattern?.exec(folded) ?? null;
  if (found === null) return undefined;
  return {
    start: places[found.index] ?? 0,
    end: places[found.index + found[0].length] ?? text.length,
  };
}

/** Without accents. */
function bare(text: string): string {
  return text.normalize('NFD').replace(/\p{Mn}/gu, '');
}
