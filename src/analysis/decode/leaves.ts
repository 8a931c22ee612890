/** A string of a JSON text: where its characters are, without the quotes and still escaped. */
export interface Leaf {
  /** Keys down to it, array positions left out; then the `…index` numbers of the objects it is in. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

interface Frame {
  readonly parent: Frame | undefined;
  readonly path: string;
  readonly isArray: boolean;
  /** Which of several parallel streams this is: `index`, `output_index`, `content_index` and their like. */
  tags: string;
}

interface Found {
  readonly frame: Frame | undefined;
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const MAX_DEPTH = 64;

/**
 * The strings of one JSON text in [from, to), keys left out. It reads no more than it must, so that a text that
 * was cut or is not quite JSON still gives what it holds; undefined when it does not begin as JSON.
 */
export function jsonLeaves(text: string, from: number, to: number): Leaf[] | undefined {
  const first = text.charAt(skipSpace(text, from));
  if (first !== '{' && first !== '[' && first !== '"') return undefined;
  const walker = new Walker(text, to);
  walker.walk(from);
  return walker.found.map(({ frame, path, start, end }) => ({ key: path + tagsOf(frame), start, end }));
}

class Walker {
  readonly found: Found[] = [];
  private readonly text: string;
  private readonly to: number;
  private frame: Frame | undefined;
  private depth = 0;
  private key = '';

  constructor(text: string, to: number) {
    this.text = text;
    this.to = to;
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
      path: parent === undefined ? '' : `${parent.path}.${this.key}`,
      isArray,
      tags: '',
    };
    this.depth++;
  }

  private close(): void {
    if (this.frame === undefined) return;
    this.key = lastKey(this.frame);
    this.frame = this.frame.parent;
    this.depth--;
  }

  /** A key or a value; returns where to go on. */
  private string(start: number): number {
    const { text, to, frame } = this;
    const end = stringEnd(text, start, to);
    const colon = skipSpace(text, end + 1);
    if (frame !== undefined && !frame.isArray && colon < to && text.charAt(colon) === ':') {
      this.key = text.slice(start, end);
      if (this.key.endsWith('index')) frame.tags += `#${this.key}=${number(text, colon + 1)}`;
      return colon + 1;
    }
    this.found.push({ frame, path: `${frame?.path ?? ''}.${this.key}`, start, end });
    return end + 1;
  }
}

/** Back in an array, its own key is the one in force again. */
function lastKey(frame: Frame): string {
  return frame.path.slice(frame.path.lastIndexOf('.') + 1);
}

function tagsOf(frame: Frame | undefined): string {
  let tags = '';
  for (let at = frame; at !== undefined; at = at.parent) tags += at.tags;
  return tags;
}

function number(text: string, at: number): string {
  return /^\s{0,8}(-?\d{1,9})/.exec(text.slice(at, at + 20))?.[1] ?? '';
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
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
