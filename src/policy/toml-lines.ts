/**
 * Where a key stands in a TOML text. Parsers of TOML do not keep positions, so the answer is found with the parser
 * itself: the first line by which the value is there, back to the line after the one that still parsed without it.
 */
export interface TomlLines {
  /** Line from 1; 1 where the key is not in the text. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** `parse` throws on text that is not TOML. Only for error texts: each question parses the file several times. */
export function tomlLines(text: string, parse: (text: string) => unknown): TomlLines {
  const lines = text.split('\n');
  const prefix = (count: number): unknown => {
    try {
      return parse(lines.slice(0, count).join('\n'));
    } catch {
      return undefined;
    }
  };
  return {
    lineOf: (path) => {
      let whole = 0;
      for (let count = 1; count <= lines.length; count++) {
        const parsed = prefix(count);
        if (parsed === undefined) continue;
        if (has(parsed, path)) return firstContentLine(lines, whole, count);
        whole = count;
      }
      return 1;
    },
  };
}

/** The value begins on the first line of its piece that is not blank or a comment. */
function firstContentLine(lines: readonly string[], from: number, to: number): number {
  for (let i = from; i < to; i++) {
    if (!/^\s*(?:#.*)?$/.test(lines[i] ?? '')) return i + 1;
  }
  return to;
}

function has(value: unknown, path: readonly PropertyKey[]): boolean {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Reflect.get(at, key);
  }
  return true;
}
