import { describe, expect, test } from 'vitest';
import { prettyJson } from '../../../src/analysis/decode/pretty.ts';
import { createScanner } from '../../../src/analysis/decode/scan.ts';
import { maskText } from '../../../src/analysis/shown.ts';
import { findPhrase } from '../../../src/store/query/find.ts';
import { matchQuery, phrasesOf } from '../../../src/store/query/words.ts';

const key = `ghp_${'A1b2C3d4E5f6'.repeat(3)}`;
const scanner = createScanner();

describe('masking in place', () => {
  test('places before, in and after a secret are found again', () => {
    const real = `${key.slice(0, 40)}`;
    const text = `first ${real} last`;
    const [finding] = scanner.scan(text).filter((each) => each.class === 'secret');
    const { text: masked, toMasked } = maskText(scanner, text);
    if (finding === undefined) throw new Error('the key was not found');
    expect(masked).toBe(`first ${finding.masked} last`);
    expect(masked.slice(toMasked(0), toMasked(5))).toBe('first');
    expect(toMasked(finding.start + 7)).toBe(finding.start);
    expect(masked.slice(toMasked(text.indexOf('last')))).toBe('last');
  });
});

describe('JSON on lines', () => {
  test('changes nothing but white space', () => {
    const text = '{"n":12345678901234567890,"e":"\\u00e9 { , \\" }","list":[1,[],{}, {"a":null}]}';
    const pretty = prettyJson(text) ?? '';
    expect(pretty.replace(/\n */g, '').replaceAll('": ', '":').replace(', {', ',{')).toBe(
      text.replace(', {', ',{'),
    );
    expect(pretty.split('\n').slice(0, 3)).toEqual([
      '{',
      '  "n": 12345678901234567890,',
      '  "e": "\\u00e9 { , \\" }",',
    ]);
    expect(prettyJson(pretty)).toBe(pretty);
  });

  test.each(['', 'text', '"a"', '{"a":', 'data: {}'])('%j is left to others', (text) => {
    expect(prettyJson(text)).toBeUndefined();
  });
});

describe('words', () => {
  test.each([
    ['one two', 'a ONE b two', 'ONE'],
    ['"one two"', 'one, two', 'one, two'],
    ['fuchse', 'zwei Füchse hier', 'Füchse'],
    ['Füchse', 'zwei fuchse hier', 'fuchse'],
    ['mig*', 'the migration', 'mig'],
    ['mig', 'the migration', undefined],
    ['a.b', 'x a.b y', 'a.b'],
    ['(x', 'is x there', 'x'],
  ])('%s in %s', (query, text, hit) => {
    const found = findPhrase(text, phrasesOf(query));
    expect(found === undefined ? undefined : text.slice(found.start, found.end)).toBe(hit);
  });

  test('nothing of a text is an operator of the search', () => {
    expect(matchQuery(phrasesOf('a OR "b c" d* NEAR("x') as never)).toBe(
      '"a" AND "OR" AND "b c" AND "d" * AND "NEAR(" AND "x"',
    );
    expect(phrasesOf('"!?" --')).toEqual([]);
  });
});
