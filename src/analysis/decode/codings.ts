import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { messageOf } from '../../core/errors.ts';

/** Pieces of what is decoded: large enough that their number costs nothing. */
const CHUNK = 64 * 1024;
// A body that was cut still gives what it has.
const CUT = { chunkSize: CHUNK, finishFlush: zlib.constants.Z_SYNC_FLUSH };
const CUT_BROTLI = { chunkSize: CHUNK, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

/**
 * Takes one content coding off while the bytes come: gzip, deflate (with and without its zlib wrapper, as servers
 * differ), br, zstd (RFC 8878). Throws, with the coding's name, where they are damaged, the coding is unknown, or
 * more than `limit` bytes come of them; what was good before has been given by then.
 */
export async function* offCoding(
  coding: string,
  source: AsyncIterable<Buffer>,
  limit: number,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    let given = 0;
    for await (const piece of decoded(coding, source)) {
      yield piece;
      given += piece.length;
      if (given > limit) throw new Error(`more than ${limit} bytes`);
    }
  } catch (error) {
    throw new Error(`${coding}: ${messageOf(error)}`, { cause: error });
  }
}

async function* decoded(
  coding: string,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = source[Symbol.asyncIterator]();
  let first = await pieces.next();
  while (first.done !== true && first.value.length === 0) first = await pieces.next();
  if (first.done === true) return;
  const decoder = decoderOf(coding, first.value);
  // The decoder has the same error, and tells it to who reads.
  const feeding = pipeline(startingWith(first.value, pieces), decoder).catch(() => undefined);
  try {
    yield* decoder as AsyncIterable<Buffer>;
  } finally {
    await feeding;
  }
}

async function* startingWith(
  first: Buffer,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function decoderOf(coding: string, first: Buffer): Transform {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip(CUT);
    case 'deflate':
      // RFC 1950 begins with 0x78 in practice; some servers send bare RFC 1951
      return ((first[0] ?? 0) & 0x0f) === 8 ? zlib.createInflate(CUT) : zlib.createInflateRaw(CUT);
    case 'br':
      return zlib.createBrotliDecompress(CUT_BROTLI);
    case 'zstd':
      return zstdDecoder();
    default:
      throw new Error('unknown content coding');
  }
}

/** fzstd, because zlib has zstd only from Node 22.15 on. */
function zstdDecoder(): Transform {
  const decoder = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(...errorOf(() => stream.push(chunk)));
    },
    flush(done) {
      done(...errorOf(() => stream.push(Buffer.alloc(0), true)));
    },
  });
  const stream = new Decompress((piece) => decoder.push(piece));
  return decoder;
}

function errorOf(work: () => void): [Error?] {
  try {
    work();
    return [];
  } catch (error) {
    return [error instanceof Error ? error : new Error(String(error))];
  }
}
