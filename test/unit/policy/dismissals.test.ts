import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  addDismissal,
  parseDismissals,
  readDismissals,
  removeDismissal,
} from '../../../src/policy/dismissals.ts';
import { locateJson } from '../../../src/policy/json-lines.ts';

const EXCHANGE = '01JZZZZZZZZZZZZZZZZZAAAAAA:4';

function tempFile(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gate-dismissals-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'config', 'dismissals.json');
}

// promise: dismiss
describe('dismissals.json', () => {
  test('a missing file has none; one is added, replaced and removed, mode 0600', async () => {
    const file = tempFile();
    expect(readDismissals(file).dismissals).toEqual([]);
    await addDismissal(file, { exchange: EXCHANGE, reason: 'straße "quoted"' });
    await addDismissal(file, { host: 'a.test', code: 'parse_error', reason: 'known' });
    await addDismissal(file, { exchange: EXCHANGE, reason: 'another reason' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readDismissals(file).dismissals).toEqual([
      { host: 'a.test', code: 'parse_error', reason: 'known' },
      { exchange: EXCHANGE, reason: 'another reason' },
    ]);
    expect(await removeDismissal(file, { exchange: EXCHANGE, code: 'parse_error' })).toEqual([]);
    expect(await removeDismissal(file, { exchange: EXCHANGE })).toHaveLength(1);
    expect(readDismissals(file).dismissals).toHaveLength(1);
  });

  test('of an exchange go together when no code is named', async () => {
    const file = tempFile();
    const at = '2026-01-01T00:00:00.000Z';
    await addDismissal(file, { exchange: EXCHANGE, code: 'parse_error', reason: 'one', at });
    await addDismissal(file, { exchange: EXCHANGE, code: 'secret_in_request', reason: 'two', at });
    await addDismissal(file, { host: 'a.test', code: 'parse_error', reason: 'three', at });
    expect(await removeDismissal(file, { exchange: EXCHANGE })).toHaveLength(2);
    expect(readDismissals(file).dismissals.map(({ reason }) => reason)).toEqual(['three']);
  });

  test('many at once lose none', async () => {
    const file = tempFile();
    const hosts = Array.from({ length: 12 }, (_, n) => `h${n}.test`);
    await Promise.all(
      hosts.map((host) => addDismissal(file, { host, code: 'parse_error', reason: 'all at once' })),
    );
    const { dismissals } = readDismissals(file);
    expect(dismissals.map(({ host }) => host).sort()).toEqual([...hosts].sort());
  });

  test('a bad file stays as it is', async () => {
    const file = tempFile();
    await addDismissal(file, { host: 'a.test', code: 'parse_error', reason: 'known' });
    writeFileSync(file, '{ not json');
    await expect(addDismissal(file, { host: 'b.test', code: 'parse_error', reason: 'x' })).rejects.toThrow(
      /dismissals\.json:1: not JSON/,
    );
    expect(readFileSync(file, 'utf8')).toBe('{ not json');
  });

  test.each([
    ['{\n"version": 1\n}', 'f:1: dismissals: '],
    ['{"version": 2, "dismissals": []}', 'f:1: version: '],
    [
      '{"version": 1, "dismissals": [\n {"host": "a.test", "code": "x", "reason": "y"}]}',
      'f:2: dismissals.0.code: ',
    ],
    [
      '{"version": 1, "dismissals": [\n\n {"host": "a.test", "reason": "y"}]}',
      "f:3: dismissals.0: a 'host' needs",
    ],
    ['{"version": 1, "dismissals": [{"reason": "y"}]}', "expected either 'exchange' or 'host'"],
    ['{"version": 1, "dismissals": [{"exchange": "K3F9QZ:4", "reason": "y"}]}', 'expected <run id>:<number>'],
    [`{"version": 1, "dismissals": [{"exchange": "${EXCHANGE}", "reason": " "}]}`, 'expected a reason'],
    ['{"version": 1, "dismissals": [\n{"host": "A.test", "code": "parse_error", "reason": "y"}]}', 'f:2: '],
    ['{"version": 1,\n "dismissals": [],\n}', 'f:3: not JSON: expected a name in quotes'],
    ['[1,\n2', "f:2: not JSON: expected ',' or ']'"],
    ['{"version": 1, "dismissals": []} x', 'f:1: not JSON: something stands after the end'],
  ])('%s', (text, message) => {
    expect(() => parseDismissals(text, 'f')).toThrow(message);
  });
});

test('what JSON.parse takes is taken, and what it does not is not', () => {
  const texts = [
    '1',
    '-0.5e3',
    '"a\\u00e9\\n"',
    '[]',
    '{}',
    '[{"a":[null,true]}]',
    ' {"a" : 1 } ',
    '01',
    '.5',
    '"\t"',
    '{"a"}',
    '[,]',
    'tru',
    '',
    '"',
    '{"__proto__": 1}',
  ];
  for (const text of texts) {
    const read = locateJson(text);
    let expected: unknown;
    try {
      expected = { value: JSON.parse(text) };
    } catch {
      expected = 'bad';
    }
    expect('problem' in read ? 'bad' : { value: read.value }, text).toEqual(expected);
  }
  expect(locateJson('['.repeat(10_000))).toMatchObject({ problem: 'nested too deep', line: 1 });
});
