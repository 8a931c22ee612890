import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeContent, decodeText } from '../../../src/analysis/decode/content.ts';
import { createProse, createRandom } from '../store/random.ts';

/** As it comes out of a pack: in pieces of any length. */
function decode(body: Buffer, coding: string, limit = 1 << 24, step = 700) {
  const source = async function* () {
    for (let at = 0; at < body.length; at += step) yield body.subarray(at, at + step);
  };
  return decodeContent(source, coding, limit);
}

const text = 'the same words, over and over. '.repeat(200);
const bytes = Buffer.from(text);
/** RFC 8878: a frame with one raw block, single segment, so that no encoder is needed. */
const zstd = Buffer.concat([
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0]),
  Buffer.from('hello'),
]);

describe('content codings', () => {
  it('takes each off, and several in turn', async () => {
    const coded: [string, Buffer][] = [
      ['gzip', zlib.gzipSync(bytes)],
      ['x-gzip', zlib.gzipSync(bytes)],
      ['deflate', zlib.deflateSync(bytes)],
      ['deflate', zlib.deflateRawSync(bytes)],
      ['br', zlib.brotliCompressSync(bytes)],
      ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(bytes))],
      ['identity', bytes],
      ['', bytes],
    ];
    for (const [coding, body] of coded) {
      expect(await decode(body, coding), coding).toEqual({ bytes });
    }
    expect((await decode(zstd, 'zstd')).bytes.toString()).toBe('hello');
  });

  it('gives what a cut body has', async () => {
    const random = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i) % 251));
    const cut = zlib.gzipSync(random).subarray(0, 600);
    const decoded = await decode(cut, 'gzip');
    expect(decoded.problem).toBeUndefined();
    expect(random.subarray(0, decoded.bytes.length).equals(decoded.bytes)).toBe(true);
  });

  it('says what it could not do, and never gives more than the limit', async () => {
    const bomb = Buffer.from('0123456789'.repeat(200_000));
    for (const [coding, body] of [
      ['gzip', zlib.gzipSync(bomb)],
      ['br', zlib.brotliCompressSync(bomb)],
      ['gzip, gzip', zlib.gzipSync(zlib.gzipSync(bomb))],
    ] as const) {
      const decoded = await decode(body, coding, 100_000);
      expect(decoded.problem, coding).toMatch(/more than 100000 bytes$/);
      expect(decoded.bytes.equals(bomb.subarray(0, 100_000)), coding).toBe(true);
    }
    expect(await decode(zstd, 'zstd', 3)).toMatchObject({
      bytes: Buffer.from('hel'),
      problem: expect.stringMatching(/more than 3 bytes$/),
    });
    expect(await decode(bytes, '', 3)).toEqual({ bytes: Buffer.from('the'), problem: 'more than 3 bytes' });
  });

  it('gives as it came what is in no such coding', async () => {
    expect(await decode(bytes, 'gzip')).toEqual({ bytes, problem: expect.stringMatching(/^gzip: /) });
    expect(await decode(bytes, 'rot13')).toEqual({ bytes, problem: 'rot13: unknown content coding' });
    // Taken off as far as it goes.
    expect(await decode(zlib.gzipSync(bytes), 'rot13, gzip')).toEqual({
      bytes,
      problem: 'rot13: unknown content coding',
    });
  });

  it('gives what stands before a damaged place', async () => {
    const varied = Buffer.from(createProse(createRandom(7))(400_000));
    for (const [coding, body] of [
      ['gzip', zlib.gzipSync(varied)],
      ['deflate', zlib.deflateSync(varied)],
      ['br', zlib.brotliCompressSync(varied)],
    ] as const) {
      const at = Math.floor(body.length * 0.9);
      const damaged = Buffer.concat([body.subarray(0, at), Buffer.alloc(200, 0xff), body.subarray(at + 200)]);
      const decoded = await decode(damaged, coding);
      expect(decoded.bytes.length, coding).toBeGreaterThan(100_000);
      const good = decoded.bytes.subarray(0, 100_000);
      expect(good.equals(varied.subarray(0, 100_000)), coding).toBe(true);
    }
  });

  it('reads no more of its source than it needs', async () => {
    const body = zlib.gzipSync(createProse(createRandom(8))(2_000_000));
    let asked = 0;
    let closed = false;
    const source = async function* () {
      try {
        for (let at = 0; at < body.length; at += 1000) {
          asked += 1000;
          yield body.subarray(at, at + 1000);
        }
      } finally {
        closed = true;
      }
    };
    const decoded = await decodeContent(source, 'gzip', 1000);
    expect(decoded.bytes).toHaveLength(1000);
    expect({ closed, all: asked >= body.length }).toEqual({ closed: true, all: false });
  });
});

describe('charsets', () => {
  it('come from the content type, a byte order mark, or are UTF-8', () => {
    expect(decodeText(Buffer.from('é', 'utf8'), undefined)).toBe('é');
    expect(decodeText(Buffer.from([0xe9]), 'text/plain; charset=iso-8859-1')).toBe('é');
    expect(
      decodeText(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('é', 'utf16le')]), 'text/plain'),
    ).toBe('é');
    expect(decodeText(Buffer.from('é'), 'text/plain; charset=nonsense')).toBe('é');
    const binary = Buffer.concat([
      Buffer.from([0, 0xff, 0xfe, 0x80]),
      Buffer.from('token=abc\0short\xff\tlast\r\nline', 'latin1'),
    ]);
    expect(decodeText(binary, 'application/octet-stream')).toBe('\0token=abc\0\tlast\r\nline');
    expect(decodeText(Buffer.from([0, 0xff]), 'application/octet-stream')).toBe('');
    expect(decodeText(Buffer.from('\0\0\0\x05naïve'), 'application/grpc')).toBe('\0\0\0\x05naïve');
    expect(decodeText(Buffer.from([0x61, 0xff]), 'text/plain')).toBe('a\ufffd');
  });

  it('of what is no text are its runs of six and more, wherever they stand', () => {
    const random = createRandom(11);
    for (let round = 0; round < 500; round += 1) {
      const noise = Array.from({ length: 4 + Math.floor(random() * 200) }, () =>
        random() < 0.6 ? 32 + Math.floor(random() * 95) : Math.floor(random() * 256),
      );
      const bytes = Buffer.from([0, 0xff, ...noise]);
      const runs = bytes.toString('latin1').match(/[\t-\r\x20-\x7e]{6,}/g) ?? [];
      expect(decodeText(bytes, undefined)).toBe(runs.map((run) => `\0${run}`).join(''));
    }
  });
});
