/** A JSON text that was read, with the line of each of its values; or why and where it is none. */
export type LocatedJson =
  | { readonly value: unknown; lineOf(path: readonly PropertyKey[]): number }
  | { readonly problem: string; readonly line: number };

const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const MAX_DEPTH = 20;

/**
 * Reads a JSON text (RFC 8259) that people edit. Lines count from 1. (The place of an error stands in the message
 * of `JSON.parse` in some versions and in some cases only.)
 */
export function locateJson(text: string): LocatedJson {
  const starts = new Map<string, number>();
  const lineAt = (at: number): number => text.slice(0, at).split('\n').length;
  try {
    const value = new Reader(text, starts).read();
    return { value, lineOf: (path) => lineAt(nearestStart(starts, path)) };
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    return { problem: error.message, line: lineAt(Math.min(error.at, text.trimEnd().length)) };
  }
}

function nearestStart(starts: ReadonlyMap<string, number>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const start = starts.get(JSON.stringify(path.slice(0, length)));
    if (start !== undefined) return start;
  }
  return 0;
}

/** Ends the descent; it never leaves this file. */
class BadJson extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

class Reader {
  private readonly text: string;
  private readonly starts: Map<string, number>;
  private at = 0;

  constructor(text: string, starts: Map<string, number>) {
    this.text = text;
    this.starts = starts;
  }

  read(): unknown {
    const value = this.value([]);
    this.space();
    if (this.at < this.text.length) throw this.bad('something stands after the end');
    return value;
  }

  private value(path: readonly PropertyKey[]): unknown {
    this.space();
    this.starts.set(JSON.stringify(path), this.at);
    if (path.length > MAX_DEPTH) throw this.bad('nested too deep');
    const char = this.text.charAt(this.at);
    if (char === '{') return this.object(path);
    if (char === '[') return this.array(path);
    if (char === '"') return this.string();
    const plain = this.token(PLAIN);
    if (plain === undefined) throw this.bad('expected a value');
    return JSON.parse(plain);
  }

  private object(path: readonly PropertyKey[]): object {
    const entries: [string, unknown][] = [];
    this.list('}', () => {
      this.space();
      if (this.text.charAt(this.at) !== '"') throw this.bad('expected a name in quotes');
      const name = this.string();
      this.space();
      this.take(':');
      entries.push([name, this.value([...path, name])]);
    });
    return Object.fromEntries(entries);
  }

  private array(path: readonly PropertyKey[]): unknown[] {
    const values: unknown[] = [];
    this.list(']', () => values.push(this.value([...path, values.length])));
    return values;
  }

  private list(end: string, item: () => void): void {
    this.at += 1;
    this.space();
    if (this.text.charAt(this.at) === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.space();
      if (this.text.charAt(this.at) === end) break;
      this.take(',', end);
    }
    this.at += 1;
  }

  private string(): string {
    const text = this.token(STRING);
    if (text === undefined) throw this.bad('a string that is not closed, or not well-formed');
    return JSON.parse(text) as string;
  }

  private take(char: string, other?: string): void {
    if (this.text.charAt(this.at) !== char) {
      throw this.bad(`expected '${char}'${other === undefined ? '' : ` or '${other}'`}`);
    }
    this.at += 1;
  }

  private token(pattern: RegExp): string | undefined {
    const sticky = new RegExp(pattern.source, pattern.flags);
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text.charAt(this.at))) this.at += 1;
  }

  private bad(message: string): BadJson {
    return new BadJson(message, this.at);
  }
}
