import { describe, expect, it } from 'vitest';
import { createScanner } from '../../../src/analysis/decode/scan.ts';
import { corpus } from './corpus.ts';
import { NEGATIVES } from './negatives.ts';
import { Random } from './random.ts';

const scanner = createScanner();
const SEEDS = [1, 2];

describe('the labelled corpus', () => {
  it('is found, in every surrounding and as the right kind', () => {
    const samples = SEEDS.flatMap((seed) => corpus(seed, 1));
    const missed = samples.filter(({ positive, text, contentType }) => {
      const findings = scanner.scan(text, contentType === undefined ? {} : { contentType });
      return !findings.some(({ kind }) => kind === positive.kind);
    });
    const names = missed.map(({ positive, surrounding }) => `${positive.kind} in ${surrounding}`);
    expect(missed.length / samples.length, names.join(', ')).toBeLessThanOrEqual(0.005);
  });

  it('gives one finding for one value', () => {
    const samples = corpus(3, 1);
    const findings = samples.map((s) =>
      scanner.scan(s.text, s.contentType === undefined ? {} : { contentType: s.contentType }),
    );
    const surplus = findings.reduce((sum, list) => sum + Math.max(0, list.length - 1), 0);
    expect(surplus).toBeLessThanOrEqual(samples.length * 0.005);
  });

  it('spans exactly the value where it stands in clear', () => {
    const wrong: string[] = [];
    for (const { positive, text, surrounding } of corpus(4, 1)) {
      if (surrounding !== 'line') continue;
      const [finding] = scanner.scan(text);
      const framed = text.slice('first\n'.length, -'\nlast'.length);
      const found = finding === undefined ? '' : text.slice(finding.start, finding.end);
      const [before = '', after = ''] = (positive.frame ?? '%').split('%');
      const value = framed.slice(before.length, framed.length - after.length);
      if (found !== value) wrong.push(`${positive.kind}: '${found}' is not '${value}'`);
    }
    expect(wrong).toEqual([]);
  });

  it('never shows a value in its mask', () => {
    for (const { text } of corpus(5, 1).filter(({ surrounding }) => surrounding === 'line')) {
      for (const { start, end, masked } of scanner.scan(text)) {
        const value = text.slice(start, end);
        const shown = masked.replace(/ \(\d+\)$/, '').replace('…', '');
        expect(masked).toMatch(/…/);
        expect(shown.length).toBeLessThanOrEqual(Math.max(4, value.length * 0.6));
        expect(masked).not.toContain(value);
      }
    }
  });
});

describe('hard negatives', () => {
  for (const [name, make] of Object.entries(NEGATIVES)) {
    it(`finds nothing in ${name}`, () => {
      const r = new Random(11);
      for (let round = 0; round < 20; round++) {
        const text = make(r);
        for (const form of [text, JSON.stringify({ messages: [{ content: `${text}\n` }] })]) {
          const found = scanner
            .scan(form)
            .map(({ kind, start, end }) => `${kind}: ${form.slice(start, end)}`);
          expect(found).toEqual([]);
        }
      }
    });
  }
});
