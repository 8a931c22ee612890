import { describe, expect, it } from 'vitest';
import { luhn, mod11of10, mod97, verhoeff } from '../../../src/detect/checks/checksums.ts';
import { entropy, isPlaceholder } from '../../../src/detect/checks/text.ts';
import { githubChecksum, isBasicCredential } from '../../../src/detect/checks/tokens.ts';
import { createDetector } from '../../../src/detect/detector.ts';
import { mask } from '../../../src/detect/mask.ts';
import { resolve } from '../../../src/detect/resolve.ts';

describe('checksums', () => {
  it('knows published test values', () => {
    // the card networks' test numbers; ISO 13616's example; UIDAI's and the BZSt's published examples
    expect(['4111111111111111', '378282246310005', '6011111111111117'].map(luhn)).toEqual([true, true, true]);
    expect(luhn('4111111111111112')).toBe(false);
    expect(mod97('370400440532013000DE89')).toBe(1);
    expect(verhoeff('2363')).toBe(true);
    expect(verhoeff('2364')).toBe(false);
    expect(mod11of10('86095742719')).toBe(true);
    expect(mod11of10('86095742718')).toBe(false);
  });

  it('makes the six characters of a GitHub token', () => {
    // CRC32 of 30 zeros is 0x...: fixed here by its own arithmetic, six base-62 digits
    const body = '0'.repeat(30);
    expect(githubChecksum(body)).toMatch(/^[0-9A-Za-z]{6}$/);
    expect(githubChecksum(body)).not.toBe(githubChecksum(`${body.slice(1)}1`));
  });
});

describe('text checks', () => {
  it('measures bits per character', () => {
    expect(entropy('')).toBe(0);
    expect(entropy('aaaa')).toBe(0);
    expect(entropy('abcd')).toBe(2);
  });

  it('knows what stands for a secret', () => {
    const stands = [
      'your-api-key',
      'changeme',
      'xxxxxxxx',
      '<token>',
      '$' + '{TOKEN}',
      '{{ token }}',
      'sk-...',
      'EXAMPLEKEY',
      '********',
    ];
    expect(stands.filter((value) => !isPlaceholder(value))).toEqual([]);
    expect(isPlaceholder('t7Gq2LmZ9w')).toBe(false);
  });

  it('reads Basic credentials', () => {
    const encode = (text: string) => Buffer.from(text).toString('base64');
    expect(isBasicCredential(encode('svc:t7Gq2LmZ'))).toBe(true);
    expect(isBasicCredential(encode('user:password'))).toBe(false);
    expect(isBasicCredential(encode('no colon here'))).toBe(false);
  });
});

describe('mask', () => {
  it('shows the public prefix, the last four and the length', () => {
    expect(mask(`sk-ant-${'a'.repeat(97)}9f3c`, 7)).toBe('sk-ant-…9f3c (108)');
  });

  it('shows no more than a quarter of a short value, and nothing that a terminal obeys', () => {
    expect(mask('hunter2!', 0)).toBe('… (8)');
    expect(mask('abcdefgh', 7)).toBe('ab… (8)');
    expect(mask(`\u001b[2J${'x'.repeat(20)}\n`, 2)).toBe('?[…xxx? (25)');
  });
});

describe('resolve', () => {
  const span = (start: number, end: number, rank: number, kind: 'secret' | 'pii' = 'secret') => ({
    class: kind,
    start,
    end,
    rank,
  });

  it('keeps exact before guessed, long before short, secrets before personal data', () => {
    expect(resolve([span(0, 10, 5), span(2, 8, 0)])).toEqual([span(2, 8, 0)]);
    expect(resolve([span(0, 10, 1), span(2, 12, 1), span(2, 20, 1)])).toEqual([span(2, 20, 1)]);
    expect(resolve([span(4, 9, 0, 'pii'), span(0, 10, 5)])).toEqual([span(0, 10, 5)]);
    expect(resolve([span(10, 20, 0), span(0, 10, 0)])).toEqual([span(0, 10, 0), span(10, 20, 0)]);
  });
});

describe('the detector', () => {
  it('names values by the function it is given', () => {
    const detector = createDetector({ fingerprint: (value) => `#${value.length}` });
    expect(detector.detect('mail jane.doe@acme.io')).toEqual([
      { class: 'pii', kind: 'email', start: 5, end: 21, masked: 'j…e.io (16)', fingerprint: '#16' },
    ]);
  });

  it('counts in UTF-16 units', () => {
    const [finding] = createDetector().detect('🙂 ü jane.doe@acme.io');
    expect(finding).toMatchObject({ start: 5, end: 21 });
  });
});
