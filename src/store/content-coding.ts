import { brotliDecompressSync, deflateRawSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { looksLikeText } from './content-kind.ts';
import { isOneFrame, unzstd } from './zstd.ts';

/** No body is decoded beyond this; a longer one is kept as it came. */
const MAX_DECODED = 16 * 1024 * 1024;
/** Compressed bytes below this are not worth the work. */
const MIN_WIRE = 64;

/**
 * Decodes a whole compressed text, so that what is resent in it can be found again; undefined where the wire's
 * bytes must be kept: not one known coding, damaged, too long, not text, or with room in it to hide bytes that
 * decoding would drop.
 */
export function decodeWhole(
  wire: Buffer,
  type: string | undefined,
  encoding: string | undefined,
): Buffer | undefined {
  if (encoding === undefined || wire.length < MIN_WIRE) return undefined;
  if (type !== undefined && /^(?:image|audio|video)\//i.test(type)) return undefined;
  try {
    const decoded = decode(wire, encoding.trim().toLowerCase());
    if (decoded === undefined || decoded.length === 0 || !looksLikeText(decoded)) return undefined;
    return accountsFor(wire, decoded) ? decoded : undefined;
  } catch {
    // Not what the header said, or a bomb: the bytes are kept as they came, which loses nothing.
    return undefined;
  }
}

function decode(wire: Buffer, encoding: string): Buffer | undefined {
  const options = { maxOutputLength: MAX_DECODED };
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return isPlainGzip(wire) ? gunzipSync(wire, options) : undefined;
    case 'deflate':
      return ((wire[0] ?? 0) & 0x0f) === 8 ? inflateSync(wire, options) : inflateRawSync(wire, options);
    case 'br':
      return brotliDecompressSync(wire, options);
    case 'zstd':
      return isOneFrame(wire) ? unzstd(wire, MAX_DECODED) : undefined;
    default:
      return undefined;
  }
}

/** Method deflate and no extra field, name or comment, which decoding would drop (RFC 1952). */
function isPlainGzip(wire: Buffer): boolean {
  return wire[2] === 8 && wire[3] === 0;
}

/**
 * Whether the decoded text accounts for the length of the wire: trailing garbage, padding and metadata blocks
 * could carry bytes that only the wire has, so a wire much longer than it needs to be is kept.
 */
function accountsFor(wire: Buffer, decoded: Buffer): boolean {
  return wire.length <= deflateRawSync(decoded, { level: 1 }).length * 1.25 + 64;
}
