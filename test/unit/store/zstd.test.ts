import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeWhole } from '../../../src/store/content-coding.ts';
import { isOneFrame, unzstd } from '../../../src/store/zstd.ts';

const LIMIT = 4 * 1024 * 1024;
/** Window descriptors (RFC 8878, 3.1.1.1.2): 2^10 bytes times 2 to this, in the upper five bits. */
const KIB = 0;
const MIB_8 = 13 << 3;
const GIB = 20 << 3;

// By hand, since Node 20 has no encoder: blocks that hold their bytes as they are.
function frame(window: number, pieces: readonly string[]): Buffer {
  const blocks = pieces.map((text, index) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((text.length << 3) | (index === pieces.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([header, Buffer.from(text)]);
  });
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]), ...blocks]);
}

function single(size: number, text: string): Buffer {
  const head = Buffer.alloc(13);
  head.set([0x28, 0xb5, 0x2f, 0xfd, 0xe0]);
  head.writeBigUInt64LE(BigInt(size), 5);
  return Buffer.concat([head, frame(KIB, [text]).subarray(6)]);
}

function skipped(length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a57, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, Buffer.alloc(length)]);
}

// No encoder would make less of it: what is much longer than its text is not decoded either.
const [TEXT, MORE] = ['an', 'honest'].map((word) => createHash('sha512').update(word).digest('base64')) as [
  string,
  string,
];
const HONEST = frame(KIB, [TEXT, MORE]);

describe('what Zstandard data decodes to', () => {
  it.each([
    ['one frame', HONEST, TEXT + MORE],
    ['a window of 8 MiB', frame(MIB_8, [TEXT]), TEXT],
    ['a single segment', single(TEXT.length, TEXT), TEXT],
    ['two frames', Buffer.concat([HONEST, HONEST]), (TEXT + MORE).repeat(2)],
    ['a frame behind one to be skipped', Buffer.concat([skipped(40), HONEST]), TEXT + MORE],
    ['a frame that is cut in its second block', HONEST.subarray(0, -9), TEXT],
    ['nothing', Buffer.alloc(0), ''],
  ])('is there of %s', (_, bytes, text) => {
    expect(unzstd(bytes, LIMIT).toString()).toBe(text);
  });

  it.each([
    ['a frame', frame(GIB, [TEXT])],
    ['a single segment', single(2 ** 30, TEXT)],
    ['a single segment, by the upper half of its length', single(2 ** 62, TEXT)],
    ['the second frame', Buffer.concat([HONEST, frame(GIB, [TEXT])])],
    ['the frame behind one to be skipped', Buffer.concat([skipped(5), frame(GIB, [TEXT])])],
    ['a frame that is cut', frame(GIB, [TEXT, TEXT]).subarray(0, 120)],
  ])('is not looked for where %s wants a gigabyte', (_, bytes) => {
    expect(() => unzstd(bytes, LIMIT)).toThrow('too much to decode');
  });

  it('is not looked for where each of very many blocks would have the window moved', () => {
    const many = frame(MIB_8, Array<string>(50_000).fill('x'));
    expect(() => unzstd(many, LIMIT)).toThrow('too much to decode');
  });

  it('is no longer than was asked for', () => {
    expect(() => unzstd(HONEST, TEXT.length)).toThrow('too long');
  });
});

describe('whole texts in Zstandard', () => {
  it('are one frame to the last byte', () => {
    expect(isOneFrame(HONEST)).toBe(true);
    expect(decodeWhole(HONEST, 'text/plain', 'zstd')?.toString()).toBe(TEXT + MORE);
  });

  it.each([
    ['cut', HONEST.subarray(0, -1)],
    ['with a byte behind it', Buffer.concat([HONEST, Buffer.from('x')])],
    ['with a frame behind it that wants a gigabyte', Buffer.concat([HONEST, frame(GIB, [TEXT])])],
    ['with a skipped frame before it', Buffer.concat([skipped(5), HONEST])],
    ['with a skipped frame behind it', Buffer.concat([HONEST, skipped(5)])],
  ])('stay as they came when they are %s', (_, wire) => {
    expect(isOneFrame(wire)).toBe(false);
    expect(decodeWhole(wire, 'text/plain', 'zstd')).toBeUndefined();
  });
});
