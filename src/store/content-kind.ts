import { deflateRawSync } from 'node:zlib';

/** How the bytes of one body are treated: `text` is chunked and chained, `shrinks` compressed alone, `raw` kept. */
export type Treatment = 'text' | 'shrinks' | 'raw';

const TEXT_TYPE =
  /^(?:text\/|multipart\/form-data|application\/(?:json|.*\+json|x-ndjson|jsonl|xml|.*\+xml|javascript|x-javascript|graphql|x-www-form-urlencoded|yaml|toml))/i;
const PACKED_TYPE =
  /^(?:image\/(?!svg)|audio\/|video\/|font\/woff|application\/(?:zip|gzip|x-gzip|x-7z|x-xz|zstd|x-bzip))/i;
const SAMPLE = 64 * 1024;
/** What does not shrink at all in so many bytes is not looked at further: random bytes are the slowest to compress. */
const GLANCE = 4 * 1024;
const PLAIN = /^(?:identity)?$/i;

/** Chooses the treatment of a body by its headers and its first bytes. */
export function treatmentOf(
  type: string | undefined,
  encoding: string | undefined,
  first: Buffer,
): Treatment {
  if (!PLAIN.test(encoding ?? '')) return 'raw';
  if (type !== undefined && PACKED_TYPE.test(type)) return 'raw';
  if (type !== undefined && TEXT_TYPE.test(type)) return 'text';
  if (type === undefined && looksLikeText(first)) return 'text';
  if (first.length > GLANCE && !shrinksTo(first.subarray(0, GLANCE), 1)) return 'raw';
  return shrinksTo(first.subarray(0, SAMPLE), 0.9) ? 'shrinks' : 'raw';
}

function shrinksTo(sample: Buffer, part: number): boolean {
  return deflateRawSync(sample, { level: 1 }).length < sample.length * part;
}

/** Whether a stream of small events, which repeat their envelope but not their chunks. */
export function isEventStream(type: string | undefined): boolean {
  return type !== undefined && /^text\/event-stream/i.test(type);
}

/** Text has no control characters but the usual white space and escape. */
export function looksLikeText(bytes: Buffer): boolean {
  const end = Math.min(bytes.length, 512);
  for (let at = 0; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x1b) return false;
  }
  return true;
}
