import type { Body } from '../core/body.ts';
import { messageOf } from '../core/errors.ts';
import type { PackReader } from '../store/pack-reader.ts';
import { decodeContent, decodeText } from './decode/content.ts';

/** A body as text, as far as it was read. */
export interface BodyText {
  readonly text: string;
  /** Bytes on the wire. */
  readonly bytes: number;
  /** All of it was read, and it was recorded whole. */
  readonly whole: boolean;
  /** Stored bytes that were left out. */
  readonly left: number;
  /** What kept it from being decoded; the text is what could be read. */
  readonly problem?: string;
}

/** Types that hold no text that could be searched. */
const BINARY = /^\s*(?:image\/(?!svg)|audio\/|video\/|font\/)/i;
/** A gzip file that is sent as it is (RFC 1952). */
const GZIP = Buffer.from([0x1f, 0x8b, 0x08]);

/** Reads a body and takes its codings off. Never rejects: what went wrong is the problem. */
export async function readBodyText(
  pack: PackReader,
  body: Body | null | undefined,
  limit: number,
): Promise<BodyText | undefined> {
  if (body === null || body === undefined || body.bytes === 0) return undefined;
  const { bytes, type } = body;
  if (BINARY.test(type ?? '')) return { text: '', bytes, whole: true, left: 0 };
  const stored = body.parts.reduce((sum, [, , length]) => sum + length, 0);
  const left = Math.max(0, stored - limit);
  const whole = left === 0 && body['incomplete'] !== true;
  try {
    const isPackedFile = body.encoding === undefined && (await pack.read(body, GZIP.length)).equals(GZIP);
    const encoding = body.stored === 'decoded' ? undefined : isPackedFile ? 'gzip' : body.encoding;
    const decoded = await decodeContent(() => beginning(pack.stream(body), limit), encoding, limit);
    const text = decodeText(decoded.bytes, type);
    const isProblem = decoded.problem !== undefined && whole && !isPackedFile;
    return { text, bytes, whole, left, ...(isProblem ? { problem: String(decoded.problem) } : {}) };
  } catch (error) {
    return { text: '', bytes, whole: false, left: stored, problem: messageOf(error) };
  }
}

async function* beginning(
  pieces: AsyncIterable<Buffer>,
  limit: number,
): AsyncGenerator<Buffer, void, undefined> {
  let left = limit;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}
