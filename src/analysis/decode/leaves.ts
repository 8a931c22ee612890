/** A string of a JSON text: where its characters are, without the quotes and still escaped. */
export interface Leaf {
  /** The same for the same keys down to it, array positions left out, in objects of the same `…index` numbers. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** Numbers for names and paths: a path that is spelt out at each of its leaves costs more than the text is long. */
export class Paths {
  private readonly ids = new Map<string, number>();

  name(text: string): number {
    return this.id(`"${text}`);
  }

  /** A step behind a path; 0 is the empty path, and no name. */
  step(path: number, name: number | string): number {
    return this.id(`${path}.${name}`);
  }

  private id(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    const id = this.ids.size + 1;
    this.ids.set(text, id);
    return id;
  }
}

interface Frame {
  readonly parent: Frame | undefined;
  /** The key that it stands under. */
  readonly name: number;
  readonly path: number;
  readonly isArray: boolean;
  /** Which of several parallel streams this is: `index`, `output_index`, `content_index` and their like. */
  tags: string;
  /** The tags down to here, once all of them are known. */
  tagsId: number | undefined;
}

interface Found {
  readonly frame: Frame | undefined;
  readonly path: number;
  readonly start: number;
  readonly end: number;
}

const MAX_DEPTH = 64;

/**
 * The strings of one JSON text in [from, to), keys left out. It reads no more than it must, so that a text that
 * was cut or is not quite JSON still gives what it holds; undefined when it does not begin as JSON. Keys of texts
 * compare when they were made with the same `paths`.
 */
export function jsonLeaves(text: string, from: number, to: number, paths = new Paths()): Leaf[] | undefined {
  const start = skipSpace(text, from, to);
  const first = start < to ? text.charAt(start) : '';
  if (first !== '{' && first !== '[' && first !== '"') return undefined;
  const walker = new Walker(text, to, paths);
  walker.walk(from);
  return walker.found.map(({ frame, path, start, end }) => ({
    key: `${path}/${tagsOf(frame, paths)}`,
    start,
    end,
  }));
}

class Walker {
  readonly found: Found[] = [];
  private readonly text: string;
  private readonly to: number;
  private readonly paths: Paths;
  private frame: Frame | undefined;
  private depth = 0;
  private key = 0;

  constructor(text: string, to: number, paths: Paths) {
    this.text = text;
    this.to = to;
    this.paths = paths;
  }

  walk(from: number): void {
    let at = from;
    while (at < this.to) {
      const char = this.text.charAt(at);
      if (char === '"') {
        at = this.string(at + 1);
        continue;
      }
      if ((char === '{' || char === '[') && this.depth < MAX_DEPTH) this.open(char === '[');
      else if (char === '}' || char === ']') this.close();
      at++;
    }
  }

  private open(isArray: boolean): void {
    const parent = this.frame;
    this.frame = {
      parent,
      name: this.key,
      path: parent === undefined ? 0 : this.paths.step(parent.path, this.key),
      isArray,
      tags: '',
      tagsId: undefined,
    };
    this.depth++;
  }

  private close(): void {
    if (this.frame === undefined) return;
    // Back in an array, its own key is the one in force again.
    this.key = this.frame.name;
    this.frame = this.frame.parent;
    this.depth--;
  }

  /** A key or a value; returns where to go on. */
  private string(start: number): number {
    const { text, to, frame } = this;
    const end = stringEnd(text, start, to);
    const colon = skipSpace(text, end + 1, to);
    if (frame !== undefined && !frame.isArray && colon < to && text.charAt(colon) === ':') {
      const name = text.slice(start, end);
      this.key = this.paths.name(name);
      if (name.endsWith('index')) frame.tags += `#${this.key}=${number(text, colon + 1)}`;
      return colon + 1;
    }
    this.found.push({ frame, path: this.paths.step(frame?.path ?? 0, this.key), start, end });
    return end + 1;
  }
}

function tagsOf(frame: Frame | undefined, paths: Paths): number {
  if (frame === undefined) return 0;
  const above = frame.parent?.tagsId ?? tagsOf(frame.parent, paths);
  frame.tagsId ??= frame.tags === '' ? above : paths.step(above, frame.tags);
  return frame.tagsId;
}

function number(text: string, at: number): string {
  return /^\s{0,8}(-?\d{1,9})/.exec(text.slice(at, at + 20))?.[1] ?? '';
}

function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) <= 32) at++;
  return at;
}

/** The place of the closing quote, or the end of the text where there is none. */
export function stringEnd(text: string, from: number, to: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && at < to) {
    let slashes = at - 1;
    while (slashes >= from && text.charCodeAt(slashes) === 92) slashes--;
    if ((at - 1 - slashes) % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return to;
}
