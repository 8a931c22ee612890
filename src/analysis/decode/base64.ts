import { gunzipSync } from 'node:zlib';
import { type View, ViewBuilder } from './view.ts';

/** Shorter runs are words and names; 20 characters hold 15 bytes, less than any secret with its name. */
const MIN_RUN = 20;
/** Files in base64 are looked at up to here; the rest of a larger one is left out. */
const MAX_RUN = 4 << 20;
const MAX_GUNZIP = 1 << 20;

/** 1 for both alphabets of RFC 4648. */
function alphabet(): Uint8Array {
  const table = new Uint8Array(128);
  for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') {
    table[char.charCodeAt(0)] = 1;
  }
  return table;
}

const IN_ALPHABET = alphabet();

/** All text that stands in base64 or base64url, decoded (bytes as latin1); undefined where there is none. */
export function base64Decoded(view: View): View | undefined {
  const { text } = view;
  const builder = new ViewBuilder(view);
  let at = MIN_RUN - 1;
  // every run of the least length covers a multiple of it, so only those places are looked at
  while (at < text.length) {
    if (!isMember(text, at)) {
      at += MIN_RUN;
      continue;
    }
    const [start, end] = runAround(text, at);
    if (end - start >= MIN_RUN && mayBeText(text, start)) decodeRun(builder, text, start, end);
    at = end + MIN_RUN;
  }
  return builder.isEmpty ? undefined : builder.build();
}

function isMember(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 128 && IN_ALPHABET[code] === 1;
}

/** The run of the alphabet around a place. Lines of 60 to 76 characters, as MIME and PEM wrap them, are one run. */
function runAround(text: string, at: number): readonly [number, number] {
  let start = at;
  while (start > 0 && at - start < MIN_RUN && isMember(text, start - 1)) start--;
  let end = at + 1;
  let line = start;
  while (end < text.length && end - start < MAX_RUN) {
    if (isMember(text, end)) end++;
    else {
      const width = end - line;
      const next = lineStart(text, end);
      if (width < 60 || width > 76 || next === end || !isMember(text, next)) break;
      line = next;
      end = next + 1;
    }
  }
  return [start, end];
}

function lineStart(text: string, at: number): number {
  if (text.charAt(at) === '\n') return at + 1;
  return text.startsWith('\r\n', at) ? at + 2 : at;
}

/** In ASCII the first of each three bytes is below 128, so every fourth character is in the alphabet's first half. */
function mayBeText(text: string, start: number): boolean {
  for (let i = start; i < start + 16; i += 4) {
    const code = text.charCodeAt(i);
    const firstHalf = (code >= 65 && code <= 90) || (code >= 97 && code <= 102);
    if (!firstHalf) return false;
  }
  return true;
}

function decodeRun(builder: ViewBuilder, text: string, start: number, end: number): void {
  const run = text.slice(start, end);
  if (run.startsWith('H4sI')) {
    const inflated = gunzipText(run);
    if (inflated !== undefined) appendWhole(builder, inflated, start, end);
    return;
  }
  if (!isReadable(Buffer.from(run.slice(0, 64), 'base64'))) return;
  builder.gap(start);
  let line = start;
  // wrapped lines decode one by one: 60, 64, 72 and 76 are multiples of four
  while (line < end) {
    const stop = text.indexOf('\n', line);
    const lineEnd = stop < 0 || stop >= end ? end : stop;
    decodeLine(builder, text, line, text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd);
    line = lineEnd + 1;
  }
}

/** Two pieces, so that whole groups map exactly four to three and only the last, short one is rounded. */
function decodeLine(builder: ViewBuilder, text: string, from: number, to: number): void {
  const whole = from + Math.floor((to - from) / 4) * 4;
  builder.put(Buffer.from(text.slice(from, whole), 'base64').toString('latin1'), from, whole);
  builder.put(Buffer.from(text.slice(whole, to), 'base64').toString('latin1'), whole, to);
}

function appendWhole(builder: ViewBuilder, text: string, from: number, to: number): void {
  builder.gap(from);
  builder.put(text, from, to);
}

function gunzipText(run: string): string | undefined {
  try {
    const bytes = gunzipSync(Buffer.from(run, 'base64'), { maxOutputLength: MAX_GUNZIP });
    return isReadable(bytes.subarray(0, 64)) ? bytes.toString('latin1') : undefined;
  } catch {
    // not gzip after all, cut off, or too large: nothing to read
    return undefined;
  }
}

/** No control characters but white space, and mostly ASCII: text in UTF-8, not pixels or code. */
function isReadable(bytes: Buffer): boolean {
  let high = 0;
  for (const byte of bytes) {
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) return false;
    if (byte === 127) return false;
    if (byte > 127) high++;
  }
  return high * 3 <= bytes.length;
}
