import { describe, expect, it } from 'vitest';
import { base64Decoded } from '../../../src/analysis/decode/base64.ts';
import {
  entitiesDecoded,
  percentDecoded,
  quotedPrintableDecoded,
  unescaped,
} from '../../../src/analysis/decode/escapes.ts';
import { joinedEvents } from '../../../src/analysis/decode/events.ts';
import { jsonLeaves, Paths } from '../../../src/analysis/decode/leaves.ts';
import { GAP, identity, type View } from '../../../src/analysis/decode/view.ts';

/** The piece of the original that a text found in a view came from. */
function origin(view: View | undefined, original: string, found: string): string | undefined {
  const at = view?.text.indexOf(found) ?? -1;
  if (view === undefined || at < 0) return undefined;
  return original.slice(...view.toOriginal(at, at + found.length));
}

describe('escapes', () => {
  it('maps back to the escape as a whole', () => {
    const text = String.raw`{"a":"x\u0040y \"q\" \\ \/ é"}`;
    const view = unescaped(identity(text));
    expect(view?.text).toBe('{"a":"x@y "q" \\ / é"}');
    expect(origin(view, text, 'x@y')).toBe(String.raw`x\u0040y`);
    expect(origin(view, text, '@')).toBe(String.raw`\u0040`);
    expect(origin(view, text, '"q"')).toBe(String.raw`\"q\"`);
  });

  it('follows JSON in JSON', () => {
    const text = JSON.stringify(JSON.stringify(JSON.stringify('a@b')).replace('@', '\\u0040'));
    let view: View | undefined = identity(text);
    for (let i = 0; i < 2; i++) view = view && unescaped(view);
    expect(view?.text).toContain('a@b');
    expect(origin(view, text, 'a@b')).toMatch(/^a\\+u0040b$/);
  });

  it('leaves broken escapes alone', () => {
    expect(unescaped(identity('\\u00g0 \\q \\'))).toBeUndefined();
    expect(percentDecoded(identity('100% of %zz'))).toBeUndefined();
  });

  it('decodes percent, entities and quoted-printable', () => {
    const url = 'q=a%40b%2Ec';
    expect(origin(percentDecoded(identity(url)), url, 'a@b.c')).toBe('a%40b%2Ec');
    const html = '<i>a&#64;b&#x2e;c &amp; d</i>';
    expect(origin(entitiesDecoded(identity(html)), html, 'a@b.c & d')).toBe('a&#64;b&#x2e;c &amp; d');
    const mail = 'abc=40d=\r\nef';
    expect(origin(quotedPrintableDecoded(identity(mail)), mail, 'abc@def')).toBe(mail);
  });

  it('keeps only what is near an escape', () => {
    const text = `${'word '.repeat(1000)}a\\nb${' word'.repeat(1000)}c\\td`;
    const view = unescaped(identity(text));
    expect(view?.text.length).toBeLessThan(2000);
    expect(view?.text).toContain(GAP);
    expect(origin(view, text, 'a\nb')).toBe('a\\nb');
    expect(origin(view, text, 'c\td')).toBe('c\\td');
  });
});

describe('base64', () => {
  it('finds text in both alphabets and in wrapped lines', () => {
    const inner = 'the quick brown fox? jumps over ~~ the lazy dog, twice and more, until the line is over';
    for (const text of [
      `x=${Buffer.from(inner).toString('base64')};`,
      `x=${Buffer.from(inner).toString('base64url')}&y`,
      `:\r\n${(
        Buffer.from(inner)
          .toString('base64')
          .match(/.{1,76}/g) ?? []
      ).join('\r\n')}\r\n`,
    ]) {
      const view = base64Decoded(identity(text));
      expect(view?.text.replace(GAP, '')).toBe(inner);
      const piece = origin(view, text, 'brown fox') ?? '';
      expect(piece.length).toBeGreaterThanOrEqual(12);
      expect(piece.length).toBeLessThanOrEqual(16);
    }
  });

  it('passes by pictures, hashes and words', () => {
    const binary = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 89) % 256)).toString('base64');
    for (const text of [`iVBORw0KGgo${binary}`, 'internationalizationAndLocalization', 'f'.repeat(64)]) {
      expect(base64Decoded(identity(text))).toBeUndefined();
    }
  });
});

describe('leaves', () => {
  it('gives strings with keys that are the same where path and index of their stream are', () => {
    const text = '{"i":1,"choices":[{"delta":{"content":"a\\"b"},"index":2}],"x":["p","q"],"k":null}';
    const paths = new Paths();
    const leaves = jsonLeaves(text, 0, text.length, paths) ?? [];
    expect(leaves.map(({ start, end }) => text.slice(start, end))).toEqual(['a\\"b', 'p', 'q']);
    const [content, p, q] = leaves.map(({ key }) => key);
    expect(p).toBe(q);
    expect(content).not.toBe(p);
    const keyOf = (other: string) => jsonLeaves(other, 0, other.length, paths)?.[0]?.key;
    expect(keyOf('{"choices":[{"index":2,"delta":{"content":"c"}}]}')).toBe(content);
    expect(keyOf('{"choices":[{"index":3,"delta":{"content":"c"}}]}')).not.toBe(content);
    expect(keyOf('{"choices":[{"index":2,"delta":{"text":"c"}}]}')).not.toBe(content);
    expect(keyOf('{"x":"z"}')).not.toBe(p);
  });

  // A quadratic reading takes minutes for these, and the runner's own limit ends the test.
  it.each([
    ['empty lines', '\n'.repeat(400_000)],
    ['lines of a bracket', '{ \n'.repeat(200_000)],
    ['a long key over many strings', `{"${'k'.repeat(50_000)}":[${'"",'.repeat(100_000)}""]}\n{}`],
    [
      'many keys over many strings',
      `${`{"index":1,"${'k'.repeat(500)}":`.repeat(60)}[${'"",'.repeat(100_000)}""\n{}`,
    ],
  ])('of %s come in time that grows with the text', (_, text) => {
    const view = joinedEvents(identity(text), 'application/x-ndjson');
    expect(view?.text.length ?? 0).toBeLessThanOrEqual(text.length);
  });

  it('reads what there is of a text that was cut', () => {
    const text = '{"a":{"b":"left","c":"cut he';
    expect(jsonLeaves(text, 0, text.length)?.map(({ start, end }) => text.slice(start, end))).toEqual([
      'left',
      'cut he',
    ]);
    expect(jsonLeaves('plain words', 0, 11)).toBeUndefined();
  });
});

describe('events', () => {
  const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

  it('joins the strings at one place, each parallel stream for itself', () => {
    const text = [
      event({ id: 'same-id', choices: [{ index: 0, delta: { content: 'ab' } }] }),
      event({ id: 'same-id', choices: [{ index: 1, delta: { content: 'XY' } }] }),
      event({ id: 'same-id', choices: [{ index: 0, delta: { content: 'cd' } }] }),
      event({ id: 'same-id', choices: [{ index: 1, delta: { content: 'ZW' } }] }),
      'data: [DONE]\n\n',
    ].join('');
    const view = joinedEvents(identity(text));
    expect(view?.text).toContain('abcd');
    expect(view?.text).toContain('XYZW');
    expect(view?.text).not.toContain('same-id');
    expect(origin(view, text, 'abcd')).toMatch(/^ab"[\s\S]*"cd$/);
  });

  it('joins events that are not JSON, and data of several lines', () => {
    expect(joinedEvents(identity('data: se\n\ndata: cret\n\n'))?.text).toContain('secret');
    const split = 'data: {"a":\ndata: "x"}\n\ndata: {"a":"y"}\n\n';
    expect(joinedEvents(identity(split))?.text).toContain('xy');
  });

  it('reads CRLF, comments and a last event without its blank line', () => {
    const text = ': hi\r\nevent: m\r\ndata: {"t":"ab"}\r\n\r\ndata: {"t":"cd"}';
    expect(joinedEvents(identity(text))?.text).toContain('abcd');
  });

  it('takes arrays and lines of objects as events, and nothing else', () => {
    expect(joinedEvents(identity('[{"t":"ab"},\n{"t":"cd"}]'))?.text).toContain('abcd');
    expect(joinedEvents(identity('{"t":"ab"}\n{"t":"cd"}\n'))?.text).toContain('abcd');
    expect(joinedEvents(identity('{"t":"ab",\n"u":"cd"}\n'))).toBeUndefined();
    expect(joinedEvents(identity('plain\nlines'))).toBeUndefined();
  });
});
