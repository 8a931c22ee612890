import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeContent, decodeText } from '../../../src/analysis/decode/content.ts';

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
      expect(await decodeContent(body, coding), coding).toEqual({ bytes });
    }
    expect((await decodeContent(zstd, 'zstd')).bytes.toString()).toBe('hello');
  });

  it('gives what a cut body has', async () => {
    const random = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i) % 251));
    const cut = zlib.gzipSync(random).subarray(0, 600);
    const decoded = await decodeContent(cut, 'gzip');
    expect(decoded.problem).toBeUndefined();
    expect(random.subarray(0, decoded.bytes.length).equals(decoded.bytes)).toBe(true);
  });

  it('says what it could not do, and never gives more than the limit', async () => {
    const bomb = Buffer.alloc(1 << 20);
    for (const [coding, body] of [
      ['gzip', zlib.gzipSync(bomb)],
      ['br', zlib.brotliCompressSync(bomb)],
    ] as const) {
      const decoded = await decodeContent(body, coding, 1000);
      expect(decoded.problem).toMatch(new RegExp(`^${coding}: `));
      expect(decoded.bytes).toBe(body);
    }
    expect((await decodeContent(zstd, 'zstd', 3)).problem).toMatch(/^zstd: more than 3 bytes/);
    expect((await decodeContent(bytes, 'gzip')).problem).toMatch(/^gzip: /);
    expect((await decodeContent(bytes, 'rot13')).problem).toBe('rot13: unknown content coding');
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
});
