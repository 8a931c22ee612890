import type { HeaderList } from '../../core/headers.ts';
import { BadRequest, WireError } from '../errors.ts';
import type { Wire } from '../wire.ts';

/** A message head as text (latin1, so that every byte survives), cut at its lines. */
export interface Head {
  /** The request line or the status line. */
  readonly first: string;
  readonly headers: HeaderList;
  /** As received. */
  readonly raw: Buffer;
}

const LF = 10;
const CR = 13;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Everything but tab, CR, LF, visible ASCII and obs-text (RFC 9110 §5.5); NUL above all. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Whether a text is an RFC 9110 token: a method or a field name. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Finds the end of a head: the offset after its empty line, or -1 when more must come. With `strict` a bare LF is
 * refused; two readings of where a line ends are how requests are smuggled (RFC 9112 §2.2).
 */
export function headEnd(bytes: Buffer, strict: boolean): number {
  let lineStart = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const crlf = at > lineStart && bytes[at - 1] === CR;
    if (!crlf && strict) throw new BadRequest('bare_lf', 'a line ends with LF alone');
    if (at - (crlf ? 1 : 0) === lineStart) return at + 1;
    lineStart = at + 1;
  }
  return -1;
}

/**
 * Cuts a head into its lines. Strict (requests) refuses obs-fold, a space before the colon and empty names; lenient
 * (responses, RFC 9112 §5.1, §5.2) repairs the first two, as browsers do, because the origin means no confusion and
 * the client gets our own serialisation.
 */
export function parseHead(bytes: Buffer, strict: boolean): Head {
  const text = bytes.toString('latin1');
  if (FORBIDDEN.test(text)) throw new BadRequest('bad_character', 'a control character in the head');
  const lines = text.split(strict ? '\r\n' : /\r?\n/);
  const first = lines[0] ?? '';
  if (first.includes('\r')) throw new BadRequest('bare_cr', 'a CR without LF in the head');
  return { first, headers: parseFields(lines.slice(1), strict), raw: bytes };
}

/** Reads field lines up to the first empty one. */
export function parseFields(lines: readonly string[], strict: boolean): HeaderList {
  const headers: HeaderList = [];
  for (const line of lines) {
    if (line === '') break;
    if (line.includes('\r')) throw new BadRequest('bare_cr', 'a CR without LF in the head');
    const lead = line.charCodeAt(0);
    if (lead === 32 || lead === 9) {
      unfold(headers, line, strict);
      continue;
    }
    headers.push(parseField(line, strict));
  }
  return headers;
}

function parseField(line: string, strict: boolean): [string, string] {
  const colon = line.indexOf(':');
  const rawName = colon < 0 ? '' : line.slice(0, colon);
  const name = strict ? rawName : rawName.trimEnd();
  if (!TOKEN.test(name)) throw new BadRequest('bad_field_name', 'a field name that is no token');
  return [name, trimBlanks(line, colon + 1)];
}

function unfold(headers: HeaderList, line: string, strict: boolean): void {
  const last = headers.at(-1);
  if (strict || last === undefined) throw new BadRequest('obs_fold', 'a folded field line');
  last[1] = `${last[1]} ${trimBlanks(line, 0)}`.trim();
}

/** Spaces and tabs only: `trim` would also take the no-break space, which is a byte of the value here. */
function trimBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start += 1;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

export interface HeadLimits {
  readonly strict: boolean;
  readonly maxBytes: number;
  /** Until the first byte. */
  readonly idleMs: number;
  /** From the first byte to the last. */
  readonly headMs: number;
}

/**
 * Reads one head from a wire; what follows it stays there. Resolves to undefined when the peer ended before its
 * first byte. Throws {@link BadRequest} for what cannot be a head and {@link WireError} for a peer that broke off or stalled.
 */
export async function readHead(wire: Wire, limits: HeadLimits): Promise<Head | undefined> {
  let bytes = skipBlankLines(wire.take() ?? (await wire.read(limits.idleMs)));
  let deadline = 0;
  for (;;) {
    if (bytes === undefined) return undefined;
    const end = bytes.length === 0 ? -1 : headEnd(bytes, limits.strict);
    if (end > limits.maxBytes || (end < 0 && bytes.length > limits.maxBytes)) {
      throw new BadRequest('head_too_large', `a head of more than ${limits.maxBytes} bytes`, 431);
    }
    if (end >= 0) {
      if (end < bytes.length) wire.unread(bytes.subarray(end));
      return parseHead(bytes.subarray(0, end), limits.strict);
    }
    const now = Date.now();
    deadline ||= now + limits.headMs;
    if (now >= deadline) throw new WireError('stalled', 'the head did not end in time');
    bytes = await more(wire, bytes, deadline - now);
  }
}

async function more(wire: Wire, bytes: Buffer, waitMs: number): Promise<Buffer | undefined> {
  const next = await wire.read(Math.max(waitMs, 1));
  if (next !== undefined) return skipBlankLines(bytes.length === 0 ? next : Buffer.concat([bytes, next]));
  if (bytes.length === 0) return undefined;
  throw new WireError('ended', 'the connection ended within a head');
}

/** RFC 9112 §2.2: empty lines before a request line are ignored; old clients send one after a body. */
function skipBlankLines(bytes: Buffer | undefined): Buffer | undefined {
  if (bytes === undefined) return undefined;
  let at = 0;
  while (bytes[at] === CR && bytes[at + 1] === LF && at < 16) at += 2;
  return at === 0 ? bytes : bytes.subarray(at);
}

/** Writes a head: names keep their case, order and duplicates; text is latin1. */
export function writeHead(first: string, headers: HeaderList): string {
  let text = `${first}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}
