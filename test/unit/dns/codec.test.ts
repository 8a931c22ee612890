import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  parseQuery,
  type Query,
  RCODE,
  TYPE,
  writeAnswer,
  writeError,
} from '../../../src/proxy/dns/codec.ts';
import { isHostName, nameText, reverseAddress, typeName } from '../../../src/proxy/dns/names.ts';
import { question } from './question.ts';

function parsed(message: Buffer): Query {
  const query = parseQuery(message);
  if ('malformed' in query) throw new Error(query.malformed);
  return query;
}

const OPT = Buffer.from('0000290200000080000000', 'hex');
const withAdditional = (message: Buffer, count: number, ...records: Buffer[]) => {
  const whole = Buffer.concat([message, ...records]);
  whole.writeUInt16BE(count, 10);
  return whole;
};

describe('reading queries', () => {
  test('a plain one', () => {
    const query = parsed(question('Example.COM', TYPE.A, { id: 0xbeef }));
    expect(query).toMatchObject({
      id: 0xbeef,
      type: 1,
      class: 1,
      labels: ['Example', 'COM'],
      edns: undefined,
    });
    expect(query.question.toString('hex')).toBe('074578616d706c6503434f4d0000010001');
  });

  test('one with EDNS and options', () => {
    const cookie = Buffer.from('000029040000000000000c000a00080102030405060708', 'hex');
    expect(parsed(withAdditional(question('a.test', 1), 1, cookie)).edns).toEqual({ version: 0 });
  });

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['eleven bytes', Buffer.alloc(11)],
    ['an answer', question('a.test', 1, { flags: 0x8180 })],
  ])('%s gets no answer', (_what, message) => {
    expect(parseQuery(message)).toMatchObject({ malformed: expect.any(String), error: undefined });
  });

  const plain = question('a.test', 1);
  const patched = (offset: number, value: number) => {
    const copy = Buffer.from(plain);
    copy.writeUInt16BE(value, offset);
    return copy;
  };
  test.each<[string, Buffer]>([
    ['no question', patched(4, 0)],
    ['two questions', patched(4, 2)],
    ['an answer section', patched(6, 1)],
    ['an authority section', patched(8, 1)],
    ['additional records that are not there', patched(10, 1)],
    ['too many additional records', withAdditional(plain, 3, OPT, OPT, OPT)],
    ['two OPT records', withAdditional(plain, 2, OPT, OPT)],
    ['an OPT record with a name', withAdditional(plain, 1, Buffer.from('0161', 'hex'), OPT)],
    ['bytes behind it', Buffer.concat([plain, Buffer.from([0])])],
    ['a cut type', plain.subarray(0, -3)],
    ['a cut name', plain.subarray(0, 15)],
    ['a compressed name', Buffer.concat([plain.subarray(0, 12), Buffer.from('c00c00010001', 'hex')])],
    ['a label of an unknown kind', Buffer.concat([plain.subarray(0, 12), Buffer.from('4161000001', 'hex')])],
    [
      'a name of 256 bytes',
      question(`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`, 1),
    ],
  ])('%s is a format error', (_what, message) => {
    expect(parseQuery(message)).toMatchObject({ error: { rcode: RCODE.formErr } });
  });

  test('a name of 255 bytes is the longest', () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    expect(nameText(parsed(question(name, 1)).labels)).toBe(name);
  });

  test.each([1, 2, 4, 5, 15])('operation %i is not implemented', (opcode) => {
    const message = question('a.test', 1, { flags: opcode << 11 });
    expect(parseQuery(message)).toMatchObject({ error: { rcode: RCODE.notImp } });
  });

  test('nothing crashes, hangs or is misread, whatever arrives', () => {
    const seed = withAdditional(question('some.longer.example.com', 65), 1, OPT);
    const end = Date.now() + 1500;
    for (let round = 0; round < 60_000 && Date.now() < end; round++) {
      const message = round % 3 === 0 ? randomBytes(randomInt(0, 80)) : Buffer.from(seed);
      for (let flips = randomInt(0, 4); flips > 0 && message.length > 0; flips--) {
        message[randomInt(message.length)] = randomInt(256);
      }
      const query = parseQuery(
        round % 5 === 0 ? message.subarray(0, randomInt(message.length + 1)) : message,
      );
      if ('malformed' in query) continue;
      const answer = writeAnswer(query, { rcode: 0, record: { type: TYPE.A, address: '198.18.0.1' } });
      expect(answer.length).toBeLessThan(512);
      expect(answer.subarray(12, 12 + query.question.length).equals(query.question)).toBe(true);
    }
  });
});

describe('writing answers', () => {
  test('repeats id, question, RD and CD, and claims recursion', () => {
    const query = parsed(question('eXample.com', 1, { id: 7, flags: 0x0130 }));
    const answer = writeAnswer(query, { rcode: 0, record: { type: TYPE.A, address: '198.18.0.16' } });
    expect(answer.readUInt16BE(0)).toBe(7);
    expect(answer.readUInt16BE(2)).toBe(0x8190);
    expect(answer.subarray(12, 12 + query.question.length).equals(query.question)).toBe(true);
    expect(answer.subarray(-4)).toEqual(Buffer.from([198, 18, 0, 16]));
    expect([4, 6, 8, 10].map((at) => answer.readUInt16BE(at))).toEqual([1, 1, 0, 0]);
  });

  test('answers OPT with OPT, without options', () => {
    const query = parsed(withAdditional(question('a.test', 1), 1, OPT));
    const answer = writeAnswer(query, { rcode: RCODE.badVers });
    expect(answer.subarray(-11).toString('hex')).toBe('000029' + '04d0' + '01000000' + '0000');
    expect(answer.readUInt16BE(2) & 0xf).toBe(0);
    expect(answer.readUInt16BE(10)).toBe(1);
  });

  test('errors carry the header alone', () => {
    const answer = writeError({ id: 9, flags: 0x2800 }, RCODE.notImp);
    expect(answer.toString('hex')).toBe('0009a8840000000000000000');
  });
});

describe('names', () => {
  test.each<[string[], string, boolean]>([
    [[], '.', false],
    [['WWW', 'Example', 'com'], 'www.example.com', true],
    [['_sip', 'a-b'], '_sip.a-b', true],
    [['127', '0', '0', '1'], '127.0.0.1', false],
    [['0X7F', '0x'], '0x7f.0x', false],
    [['1', '2', 'x3'], '1.2.x3', true],
    [['a.b', 'c'], 'a\\.b.c', false],
    [['a\0b'], 'a\\000b', false],
    [['a b'], 'a\\032b', false],
    [['\u00fc'], '\\252', false],
    [['a\\'], 'a\\\\', false],
    [['\x1b[31m'], '\\027[31m', false],
  ])('%j is written %s', (labels, text, host) => {
    expect(nameText(labels)).toBe(text);
    expect(isHostName(labels)).toBe(host);
  });

  test('types', () => {
    expect([1, 28, 65, 255, 1234].map(typeName)).toEqual(['A', 'AAAA', 'HTTPS', 'ANY', 'TYPE1234']);
  });

  test('reverse names', () => {
    expect(reverseAddress('4.3.2.1.in-addr.arpa')).toBe('1.2.3.4');
    expect(reverseAddress('4.3.2.1.in-addr.arpa.evil')).toBeUndefined();
    expect(reverseAddress('3.2.1.in-addr.arpa')).toBeUndefined();
  });
});
