/** A stream of numbers that a seed repeats (mulberry32), so that what a fuzz test found can be found again. */
export interface Dice {
  /** From 0 to `below` - 1. */
  roll(below: number): number;
  pick<T>(items: readonly T[]): T;
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const roll = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return {
    roll,
    pick: (items) => {
      const item = items[roll(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}

/** Values that parsers stumble over. */
const TOKENS = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '%00',
    '\r\n\r\n',
    '\x7f',
    '\xff\xfe',
    '-1',
    '0x10',
  ],
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: a.test\r\n', 'Connection: close\r\n'],
  ...[
    'Upgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
    'HTTP/1.1',
    'HTTP/2.0',
    'CONNECT ',
    'ffffffffffffffff',
  ],
  ...['18446744073709551616', 'a'.repeat(300), '\x16\x03\x01\x02\x00', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
].map((text) => Buffer.from(text, 'latin1'));
const EDGES = [0, 1, 0x7e, 0x7f, 0x80, 0xfe, 0xff];

/** One of the seeds, changed in none to seven ways. */
export function mutated(dice: Dice, seeds: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(dice.pick(seeds));
  for (let left = dice.roll(8); left > 0; left -= 1) bytes = mutate(dice, bytes, seeds);
  return bytes;
}

function mutate(dice: Dice, bytes: Buffer, seeds: readonly Buffer[]): Buffer<ArrayBuffer> {
  const at = dice.roll(bytes.length + 1);
  const length = dice.roll(Math.min(64, bytes.length - at) + 1);
  const [before, cut, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  const rest = bytes.subarray(at);
  switch (dice.roll(8)) {
    case 0:
      return Buffer.concat([before, cut.map((byte) => byte ^ (1 << dice.roll(8))), after]);
    case 1:
      return Buffer.concat([before, cut.map(() => dice.pick(EDGES)), after]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, cut, cut, after]);
    case 4:
      return Buffer.concat([before, dice.pick(TOKENS), rest]);
    case 5:
      return Buffer.from(before);
    case 6:
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length: dice.roll(40) }, () => dice.roll(256))),
        rest,
      ]);
    default: {
      const other = dice.pick(seeds);
      return Buffer.concat([before, other.subarray(dice.roll(other.length + 1))]);
    }
  }
}

/** Cuts bytes into one to four pieces, as networks do. */
export function pieces(dice: Dice, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: dice.roll(4) }, () => dice.roll(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

/** One HTTP/2 frame (RFC 9113 §4.1). */
export function h2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as literals without indexing or Huffman code (RFC 7541 §6.2.2); each shorter than 127 bytes. */
export function hpack(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}
