import { expect, it } from 'vitest';
import { scanText } from '../../../src/analysis/decode/scan.ts';
import { Random } from '../detect/random.ts';

it('reads a form by its content type', () => {
  const text = 'note=card+4242+4242+4242+4242+ok';
  expect(scanText(text)).toEqual([]);
  const [card] = scanText(text, { contentType: 'application/x-www-form-urlencoded' });
  expect(card).toMatchObject({ class: 'pii', kind: 'credit_card', masked: '…4242 (19)' });
  expect(text.slice(card?.start, card?.end)).toBe('4242+4242+4242+4242');
});

it('names equal values equally in whatever encoding they come', () => {
  const value = new Random(9).alnum(32);
  const plain = `API_KEY=${value}`;
  const texts = [
    plain,
    JSON.stringify({ a: `\n${plain}\n` }),
    Buffer.from(`\n${plain}\n`).toString('base64'),
    encodeURIComponent(`\n${plain}\n`),
  ];
  const names = texts.map((text) =>
    scanText(text, { fingerprint: (found) => found }).map((finding) => finding.fingerprint),
  );
  expect(names).toEqual(texts.map(() => [value]));
});
