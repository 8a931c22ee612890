/** Ranges such as `a-z` in a set of characters are spelled out, so that tables can be read. */
export function characters(set: string): string {
  return set.replace(/(.)-(.)/g, (_, from: string, to: string) => {
    let out = '';
    for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) out += String.fromCharCode(code);
    return out;
  });
}

/** A lookup of ASCII codes: 1 for members of the set. A hyphen that is meant literally goes last. */
export function asciiTable(set: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const char of characters(set)) table[char.charCodeAt(0)] = 1;
  return table;
}

/** Whether the unit at an index is in a table; false outside the text and outside ASCII. */
export function isIn(table: Uint8Array, text: string, index: number): boolean {
  return index >= 0 && index < text.length && table[text.charCodeAt(index)] === 1;
}
