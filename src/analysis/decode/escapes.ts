import { type View, ViewBuilder } from './view.ts';

/** One replacement: the text that [from, to) stands for. */
type Decode = (text: string, at: number) => readonly [string, number] | undefined;

const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  "'": "'",
  '`': '`',
  '\\': '\\',
  '/': '/',
};

/** JSON's escapes (RFC 8259, section 7) and `\xHH`, which programs print. */
const backslash: Decode = (text, at) => {
  const next = text.charAt(at + 1);
  const simple = SIMPLE[next];
  if (simple !== undefined) return [simple, at + 2];
  const digits = next === 'u' ? 4 : next === 'x' ? 2 : 0;
  return digits === 0 ? undefined : hex(text, at + 2, digits);
};

/** Percent encoding (RFC 3986, section 2.1), a byte at a time: secrets are ASCII. */
const percent: Decode = (text, at) => hex(text, at + 1, 2);

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** HTML's character references: numbers, and the names that stand in secrets and their surroundings. */
const entity: Decode = (text, at) => {
  const found = /^&(?:#(\d{1,5})|#[xX]([0-9a-fA-F]{1,4})|([a-z]{2,4}));/.exec(text.slice(at, at + 10));
  if (found === null) return undefined;
  const named = ENTITIES[found[3] ?? ''];
  const code = found[1] === undefined ? Number.parseInt(found[2] ?? '', 16) : Number(found[1]);
  const char = found[3] === undefined ? String.fromCharCode(code) : named;
  return char === undefined ? undefined : [char, at + found[0].length];
};

/** Quoted-printable (RFC 2045, section 6.7): `=XX` and soft line ends. */
const quoted: Decode = (text, at) => {
  if (text.startsWith('\r\n', at + 1)) return ['', at + 3];
  if (text.charAt(at + 1) === '\n') return ['', at + 2];
  return hex(text, at + 1, 2);
};

function hex(text: string, from: number, digits: number): readonly [string, number] | undefined {
  let code = 0;
  for (let i = from; i < from + digits; i++) {
    const value = hexValue(text.charCodeAt(i));
    if (value < 0) return undefined;
    code = code * 16 + value;
  }
  return [String.fromCharCode(code), from + digits];
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function rewrite(view: View, mark: string, decode: Decode, reach?: number): View | undefined {
  const { text } = view;
  const builder = new ViewBuilder(view, reach);
  let at = text.indexOf(mark);
  while (at >= 0) {
    const found = decode(text, at);
    if (found !== undefined) builder.replace(found[0], at, found[1]);
    at = text.indexOf(mark, found?.[1] ?? at + 1);
  }
  return builder.isEmpty ? undefined : builder.build();
}

/** The text around backslash escapes with the escapes resolved; undefined where there are none. */
export function unescaped(view: View): View | undefined {
  return rewrite(view, '\\', backslash);
}

/** The whole text with its backslash escapes resolved; undefined where there are none. */
export function unescapedWhole(view: View): View | undefined {
  return rewrite(view, '\\', backslash, view.text.length);
}

/** The text around percent escapes, decoded. */
export function percentDecoded(view: View): View | undefined {
  return rewrite(view, '%', percent);
}

/** The text around HTML character references, decoded. */
export function entitiesDecoded(view: View): View | undefined {
  return rewrite(view, '&', entity);
}

/** The text around quoted-printable escapes, decoded. Only where the text says that it is so encoded. */
export function quotedPrintableDecoded(view: View): View | undefined {
  return rewrite(view, '=', quoted);
}

/** `application/x-www-form-urlencoded`: a plus is a space (WHATWG URL, section 5.1). */
export function plusDecoded(view: View): View | undefined {
  return rewrite(view, '+', (_, at) => [' ', at + 1]);
}
