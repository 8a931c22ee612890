import { expect, test } from 'vitest';
import { paint } from '../../../src/output/color.ts';
import { doctorJson, doctorText, type ShownCheck, speaksUtf8 } from '../../../src/output/doctor.ts';

const CHECKS: readonly ShownCheck[] = [
  { id: 'node', title: 'Node', status: 'ok', detail: 'new', problems: [], repaired: [] },
  {
    id: 'storage',
    title: 'Storage',
    status: 'fail',
    detail: '',
    problems: [
      { message: 'a \u001b[2J is open', fix: 'chmod 700 a', repair: { what: 'chmod 700 a' } },
      { message: 'b is open', fix: 'chmod 700 b' },
    ],
    repaired: [],
  },
  {
    id: 'lists',
    title: 'Lists',
    status: 'warn',
    detail: '',
    problems: [{ message: 'odd', fix: 'look' }],
    repaired: ['bend it'],
  },
  { id: 'jail', title: 'Jail', status: 'skip', detail: 'no jail here', problems: [], repaired: [] },
];
const view = { isDryRun: false, ok: false };

test('one line a check, the fix below it, and nothing that a terminal would obey', () => {
  expect(doctorText(CHECKS, view, { paint: paint(false), unicode: true })).toBe(
    [
      '✓ Node     new',
      '✗ Storage  a \\x1b[2J is open',
      '           chmod 700 a',
      '           b is open',
      '           chmod 700 b',
      '! Lists    odd',
      '           look',
      '           repaired: bend it',
      '- Jail     no jail here',
      '4 checks: 1 failed, 1 with warnings, 1 skipped',
      'gate doctor --auto-repair repairs what it can, --dry-run tells what that would be',
      '',
    ].join('\n'),
  );
});

test('words stand for signs where the locale has no UTF-8, and a dry run tells what it would do', () => {
  const text = doctorText(CHECKS, { ...view, isDryRun: true }, { paint: paint(false), unicode: false });
  expect(text).toMatch(/^ok {3}Node/);
  expect(text).toMatch(/^FAIL Storage/m);
  expect(text).toMatch(/^ +would bend it$/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII.
  expect(text).toMatch(/^[\x00-\x7f]*$/);
  expect(doctorText(CHECKS, view, { paint: paint(true), unicode: true })).toContain('\u001b[31m✗\u001b[39m');
});

test('the JSON form joins what a check found and leaves out what says nothing', () => {
  expect(doctorJson(CHECKS, view)).toEqual({
    ok: false,
    checks: [
      { id: 'node', title: 'Node', status: 'ok', detail: 'new' },
      {
        id: 'storage',
        title: 'Storage',
        status: 'fail',
        detail: 'a \u001b[2J is open\nb is open',
        fix: 'chmod 700 a\nchmod 700 b',
      },
      { id: 'lists', title: 'Lists', status: 'warn', detail: 'odd', fix: 'look', repaired: ['bend it'] },
      { id: 'jail', title: 'Jail', status: 'skip', detail: 'no jail here' },
    ],
  });
});

test.each([
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'de_DE.utf8' }, true],
  [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
  [{}, false],
])('the locale %o', (env, isUtf8) => expect(speaksUtf8(env)).toBe(isUtf8));
