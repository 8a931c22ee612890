import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Body } from '../../../src/core/body.ts';
import { lineHash } from '../../../src/store/chain.ts';
import type { FrameHead } from '../../../src/store/pack-format.ts';
import { openPackReader } from '../../../src/store/pack-reader.ts';
import { type PackItem, recoverBodies, scanPack } from '../../../src/store/pack-scan.ts';
import { type BodyMeta, createPackWriter, type PackWriter } from '../../../src/store/pack-writer.ts';
import { createProse, createRandom, randomBytesOf } from './random.ts';
import { tempDir } from './support.ts';

const JSON_BODY: BodyMeta = { exchange: 1, side: 'request', type: 'application/json' };

/** A pack in memory that a reader can be opened on at any time. */
function createTestPack() {
  const file = join(tempDir(), 'bodies.pack');
  const writer: PackWriter = createPackWriter();
  const flush = (): void => {
    for (const bytes of writer.take()) appendFileSync(file, bytes);
  };
  async function read(body: Body | null): Promise<Buffer> {
    flush();
    if (body === null) return Buffer.alloc(0);
    const reader = await openPackReader(file);
    try {
      return await reader.read(body);
    } finally {
      await reader.close();
    }
  }
  return { file, writer, flush, read };
}

async function itemsOf(file: string): Promise<PackItem[]> {
  const items: PackItem[] = [];
  for await (const item of scanPack(file)) items.push(item);
  return items;
}

/** How many references lead to the frame that has the byte as its own. */
function referencesTo(heads: ReadonlyMap<number, FrameHead>, frame: number, at: number): number {
  let before = 0;
  for (const ref of heads.get(frame)?.refs ?? []) {
    before += ref.ownBefore;
    if (at < before) return 0;
    if (at < before + ref.length) return 1 + referencesTo(heads, ref.frame, ref.start + at - before);
    before += ref.length;
  }
  return 0;
}

describe('pack', () => {
  it('gives back whole bodies of every kind and size', async () => {
    const pack = createTestPack();
    const random = createRandom(1);
    const prose = createProse(random);
    const bodies: [Body | null, Buffer][] = [];
    for (const size of [0, 1, 47, 48, 255, 256, 4096, 70_000, 600_000]) {
      for (const [type, bytes] of [
        ['application/json', Buffer.from(prose(size))],
        ['application/octet-stream', randomBytesOf(random, size)],
        ['application/x-protobuf', Buffer.alloc(size, 'ab')],
        [undefined, Buffer.from(prose(size))],
      ] as const) {
        const meta = {
          exchange: bodies.length,
          side: 'request',
          ...(type === undefined ? {} : { type }),
        } as const;
        bodies.push([pack.writer.whole(meta, bytes), bytes]);
      }
    }
    for (const [body, bytes] of bodies) {
      expect(body?.bytes ?? 0).toBe(bytes.length);
      if (body !== null) expect(body.sha256).toBe(lineHash(bytes));
      expect((await pack.read(body)).equals(bytes)).toBe(true);
    }
  });

  it('gives back bodies that came in pieces of any size, interleaved', async () => {
    const pack = createTestPack();
    const random = createRandom(2);
    const prose = createProse(random);
    const streams = Array.from({ length: 6 }, (_, exchange) => {
      const type = ['text/event-stream', 'application/json', 'application/octet-stream'][exchange % 3] ?? '';
      return { open: pack.writer.open({ exchange, side: 'response', type }), pieces: [] as Buffer[] };
    });
    for (let round = 0; round < 1500; round += 1) {
      const stream = streams[Math.floor(random() * streams.length)];
      const piece = Buffer.from(prose(1 + Math.floor(random() ** 4 * 5000)));
      stream?.open.add(piece);
      stream?.pieces.push(piece);
    }
    const finished = streams.map((stream) => stream.open.finish());
    for (const [index, body] of finished.entries()) {
      const bytes = Buffer.concat(streams[index]?.pieces ?? []);
      expect(body?.parts.length).toBeLessThanOrEqual(3);
      expect((await pack.read(body)).equals(bytes)).toBe(true);
    }
  });

  it('stores what is resent once, also deep in a long conversation', async () => {
    const pack = createTestPack();
    const prose = createProse(createRandom(3));
    let history = '';
    let last: Body | null = null;
    let text = '';
    for (let turn = 0; turn < 300; turn += 1) {
      history += `${turn === 0 ? '' : ','}{"role":"user","content":"${prose(1500)}"}`;
      text = `{"model":"m","messages":[${history}],"stream":true}`;
      last = pack.writer.whole({ ...JSON_BODY, exchange: turn }, Buffer.from(text));
    }
    expect((await pack.read(last)).toString()).toBe(text);
    expect(pack.writer.position).toBeLessThan(gzipSync(text).length * 1.35);
  });

  it('reads what was resent a thousand times, or repeats within itself, as fast as what was sent twice', async () => {
    const pack = createTestPack();
    const monotone = { ...JSON_BODY, type: 'text/plain' };
    const history = Buffer.from(createProse(createRandom(5))(20_000));
    const blank = Buffer.concat([Buffer.from('turn 999'), Buffer.alloc(50_000, 'a')]);
    let last: Body | null = null;
    let lastBlank: Body | null = null;
    for (let turn = 0; turn < 1000; turn += 1) {
      blank.write(String(turn).padStart(3), 5);
      lastBlank = pack.writer.whole(monotone, blank);
      last = pack.writer.whole(JSON_BODY, Buffer.concat([history, Buffer.from(`turn ${turn}`)]));
    }
    expect((await pack.read(last)).equals(Buffer.concat([history, Buffer.from('turn 999')]))).toBe(true);
    expect((await pack.read(lastBlank)).equals(blank)).toBe(true);

    const heads = new Map(
      (await itemsOf(pack.file)).flatMap((item) =>
        item.kind === 'frame' ? [[item.position, item.head] as const] : [],
      ),
    );
    const [frame = 0, start = 0, length = 0] = last?.parts[0] ?? [];
    expect(length).toBeGreaterThan(20_000);
    for (let at = 0; at < length; at += 500) {
      expect(referencesTo(heads, frame, start + at)).toBeLessThanOrEqual(129);
    }
  });

  it('needs no frame for a body that was stored before', () => {
    const { writer } = createTestPack();
    const bytes = Buffer.from(createProse(createRandom(4))(20_000));
    const first = writer.whole(JSON_BODY, bytes);
    const { position } = writer;
    expect(writer.whole({ ...JSON_BODY, exchange: 2 }, bytes)?.parts).toEqual(first?.parts);
    expect(writer.position).toBe(position);
  });

  it('keeps compressed text decoded, and names both hashes', async () => {
    const pack = createTestPack();
    const text = Buffer.from(createProse(createRandom(5))(9000));
    for (const [encoding, wire] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)],
      ['br', brotliCompressSync(text)],
    ] as const) {
      const body = pack.writer.whole({ ...JSON_BODY, encoding }, wire);
      expect(body).toMatchObject({ stored: 'decoded', bytes: wire.length, sha256: lineHash(wire), encoding });
      expect(body?.storedSha256).toBe(lineHash(text));
      expect((await pack.read(body)).equals(text)).toBe(true);
    }
  });

  it('keeps a text in zstd decoded', async () => {
    const pack = createTestPack();
    // Made by hand, since Node 20 has no encoder: 20 blocks that say "800 times this byte" (RFC 8878, 3.1.1).
    const block = (byte: number, isLast: boolean): number[] => {
      const header = (800 << 3) | (1 << 1) | (isLast ? 1 : 0);
      return [header & 0xff, header >> 8, 0, byte];
    };
    const blocks = Array.from({ length: 20 }, (_, n) => block(0x61 + n, n === 19)).flat();
    const size = 16_000 - 256;
    const wire = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, size & 0xff, size >> 8, ...blocks]);
    const body = pack.writer.whole({ ...JSON_BODY, encoding: 'zstd' }, wire);
    expect(body).toMatchObject({ stored: 'decoded', bytes: wire.length });
    const text = Array.from({ length: 20 }, (_, n) => String.fromCharCode(0x61 + n).repeat(800)).join('');
    expect((await pack.read(body)).toString()).toBe(text);
  });

  it.each([
    ['not what it says', Buffer.from('x'.repeat(500)), 'gzip'],
    ['an unknown coding', gzipSync('x'.repeat(500)), 'gzip, br'],
    ['a bomb', gzipSync(Buffer.alloc(40_000_000)), 'gzip'],
    ['binary inside', gzipSync(randomBytesOf(createRandom(6), 5000)), 'gzip'],
    ['bytes hidden behind it', Buffer.concat([gzipSync('x'.repeat(5000)), Buffer.alloc(5000, 'y')]), 'gzip'],
    [
      'a zstd frame that wants 2 GB',
      Buffer.concat([Buffer.from('28b52ffd00a8', 'hex'), Buffer.alloc(90)]),
      'zstd',
    ],
  ])('keeps the wire for %s', async (_, wire, encoding) => {
    const pack = createTestPack();
    const body = pack.writer.whole({ ...JSON_BODY, encoding }, wire);
    expect(body?.stored).toBe('wire');
    expect((await pack.read(body)).equals(wire)).toBe(true);
  });

  it('can be attributed and read as far as it goes after a kill in the middle of a frame', async () => {
    const pack = createTestPack();
    const prose = createProse(createRandom(7));
    const open = pack.writer.open({ exchange: 9, side: 'response', type: 'text/event-stream' });
    const pieces = Array.from({ length: 200 }, () => Buffer.from(`data: ${prose(100)}\n\n`));
    for (const piece of pieces) open.add(piece);
    const whole = Buffer.concat(pack.writer.take());
    writeFileSync(pack.file, whole.subarray(0, whole.length - 7));
    const items = await itemsOf(pack.file);
    expect(items.at(-1)).toMatchObject({ kind: 'damage', atEnd: true });
    expect(items.filter((item) => item.kind === 'frame')).toHaveLength(199);
    const [body] = await recoverBodies(pack.file, 9);
    const reader = await openPackReader(pack.file);
    const read = await reader.read(body ?? { parts: [] });
    await reader.close();
    expect(read.equals(Buffer.concat(pieces.slice(0, 199)))).toBe(true);
  });

  it('notices every changed byte', async () => {
    const pack = createTestPack();
    const bytes = Buffer.from(createProse(createRandom(8))(3000));
    const body = pack.writer.whole(JSON_BODY, bytes);
    const whole = Buffer.concat(pack.writer.take());
    for (let at = 16; at < whole.length; at += 41) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      writeFileSync(pack.file, changed);
      await expect(pack.read(body)).rejects.toMatchObject({ code: expect.stringMatching(/^body_/) });
    }
  });

  it('finds the frames after damage', async () => {
    const pack = createTestPack();
    for (let exchange = 0; exchange < 5; exchange += 1) {
      pack.writer.whole({ ...JSON_BODY, exchange }, Buffer.from(`${exchange}`.repeat(3000)));
    }
    const whole = Buffer.concat(pack.writer.take());
    whole.fill(0, 60, 64);
    writeFileSync(pack.file, whole);
    const items = await itemsOf(pack.file);
    expect(items.map((item) => item.kind)).toContain('damage');
    expect(items.filter((item) => item.kind === 'frame').length).toBeGreaterThanOrEqual(3);
  });
});
