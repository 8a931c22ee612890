import { shellWord as oneWord } from '../core/shell.ts';
import { textOf } from './exchange.ts';

/** Stands before and after a variable's name in a text that is still to be quoted: no header and no URL has it. */
export const MARK = '\u{e000}';

/** Puts a variable's name between marks. */
export function marked(name: string): string {
  return `${MARK}${name}${MARK}`;
}

/**
 * One word of a POSIX shell: single quotes around everything, `"$NAME"` for what is between marks. Headers and URLs
 * are recorded as latin1, and are written as the bytes that they were.
 */
export function shellWord(text: string, encoding: 'latin1' | 'utf8' = 'latin1'): string {
  const word = text
    .split(MARK)
    .map((piece, index) => {
      if (index % 2 === 1) return `"$${piece}"`;
      return piece === '' ? '' : oneWord(encoding === 'latin1' ? asBytes(piece) : piece);
    })
    .join('');
  return word === '' ? "''" : word;
}

/** What came as UTF-8 is text again; what did not can only be guessed, and stays as it is. */
function asBytes(text: string): string {
  return textOf(Buffer.from(text, 'latin1')) ?? text;
}
