import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { Body } from '../../core/body.ts';
import { looksLikeText } from '../content-kind.ts';
import type { PackReader } from '../pack-reader.ts';
import { unzstd } from '../zstd.ts';

/** Compressed text is not decoded beyond this: what the index wants of a body is much less. */
const MAX_DECODED = 4 * 1024 * 1024;
const PACKED_TYPE = /^\s*(?:image\/(?!svg)|audio\/|video\/|font\/)/i;

/**
 * The first `limit` bytes of a body as plain text for the words of the index; empty where it is no text. Rejects with
 * what the pack says of a body that is missing or damaged, and with ZodError where `given` describes no body.
 */
export async function bodyText(pack: PackReader, given: unknown, limit: number): Promise<string> {
  const body = Body.parse(given);
  if (PACKED_TYPE.test(body.type ?? '')) return '';
  const stored = await pack.read(body, limit);
  const coding = body.stored === 'decoded' ? '' : (body.encoding ?? '').trim().toLowerCase();
  const bytes = decodeBeginning(stored, coding).subarray(0, limit);
  if (!looksLikeText(bytes)) return '';
  return plain(bytes.toString(), body.type ?? '');
}

/** The beginning of what an analysis has as its content: JSON. Rejects as `bodyText` does. */
export async function contentText(pack: PackReader, given: unknown, limit: number): Promise<string> {
  return (await pack.read(Body.parse(given), limit)).toString();
}

/** Whether a field of a record names a body that has bytes: not null, and not one that is still open. */
export function hasBytes(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !('open' in given) && !isEmpty(given);
}

function isEmpty(body: object): boolean {
  return 'bytes' in body && body.bytes === 0;
}

/** What a prefix of a coded text decodes to; nothing where it is damaged, a bomb, or of an unknown coding. */
function decodeBeginning(bytes: Buffer, coding: string): Buffer {
  try {
    return decode(bytes, coding);
  } catch {
    // The bytes are kept in the pack; there are no words to find in them.
    return Buffer.alloc(0);
  }
}

function decode(bytes: Buffer, coding: string): Buffer {
  // A prefix ends in the middle of its stream.
  const cut = { maxOutputLength: MAX_DECODED, finishFlush: constants.Z_SYNC_FLUSH };
  switch (coding) {
    case '':
    case 'identity':
      return bytes;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, cut);
    case 'deflate':
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync(bytes, cut) : inflateRawSync(bytes, cut);
    case 'br':
      return brotliDecompressSync(bytes, {
        maxOutputLength: MAX_DECODED,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      });
    case 'zstd':
      return unzstd(bytes, MAX_DECODED);
    default:
      return Buffer.alloc(0);
  }
}

const JSON_TYPE = /json|event-stream|javascript/i;
const FORM_TYPE = /x-www-form-urlencoded/i;
const ESCAPE = /\\(?:u([0-9a-f]{4})|["\\/bfnrt])/gi;

/** Takes the escapes out, which would stick to the words: `\n` before `new` is not the word `nnew`. */
function plain(text: string, type: string): string {
  if (FORM_TYPE.test(type)) return unescapeUrl(text.replaceAll('+', ' '));
  const isJson = JSON_TYPE.test(type) || /^\s*[[{"]/.test(text);
  return isJson ? unescapeJson(text) : text;
}

/** JSON's escapes as the characters they stand for; those of white space as a space. */
export function unescapeJson(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (found, code: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return /[bfnrt]/.test(found[1] ?? '') ? ' ' : (found[1] ?? '');
  });
}

/** The percent-escapes of a URL as text, one by one: a single wrong one spoils no other. */
export function unescapeUrl(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      // Not UTF-8.
      return ' ';
    }
  });
}
