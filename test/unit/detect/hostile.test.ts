import { expect, it } from 'vitest';
import { createScanner } from '../../../src/analysis/decode/scan.ts';
import { eachReading } from '../../../src/analysis/decode/views.ts';
import { KINDS } from '../../../src/detect/kinds.ts';
import { hostileTexts } from './hostile.ts';

/** What is left of a pattern without its classes and escapes. */
function skeleton(pattern: RegExp): string {
  return pattern.source.replace(/\\./g, 'e').replace(/\[(?:[^\]])*\]/g, 'c');
}

it('has only bounded patterns, so that each attempt costs a constant', () => {
  const unbounded = KINDS.filter(({ pattern }) => /[*+]|\{\d+,\}/.test(skeleton(pattern))).map(
    ({ kind }) => kind,
  );
  expect(unbounded).toEqual([]);
});

it('has an anchor or a digit run for every kind', () => {
  expect(KINDS.filter((kind) => (kind.anchors ?? kind.runs ?? []).length === 0)).toEqual([]);
});

it('reads no more than a bounded multiple of a hostile text', () => {
  for (const [name, text] of hostileTexts(20_000)) {
    let units = 0;
    eachReading(text, undefined, (view) => {
      units += view.text.length;
    });
    expect(units, name).toBeLessThanOrEqual((1 << 18) + text.length * 6);
  }
});

it('comes to an end on every hostile text', () => {
  const scanner = createScanner();
  // a quadratic detector takes minutes for these, and the runner's own limit ends the test
  for (const [, text] of hostileTexts(100_000))
    for (const { start, end } of scanner.scan(text)) expect(end).toBeGreaterThan(start);
}, 60_000);
