import { describe, expect, test } from 'vitest';
import { paint, wantsColor } from '../../../src/output/color.ts';
import { type ListedLists, listsText } from '../../../src/output/lists.ts';

const empty = { sha256: '', patterns: [], errors: [] };
const listed: ListedLists = {
  lists: {
    deny: {
      ...empty,
      file: '/c/denylist.txt',
      patterns: [{ line: 3, pattern: '*.x.example', hits: 12, lastHit: '' }],
    },
    allow: { ...empty, file: '/c/allowlist.txt', errors: ['/c/allowlist.txt:2: bad \u001b[31m'] },
    passthrough: { ...empty, file: '/c/passthrough.txt' },
  },
  conflicts: [{ message: "'a' is covered by 'b'" }],
  others: [{ list: 'allow', pattern: 'gone.example', hits: 1 }],
  runs: 2,
};

test('lists are shown in the order of the decision, with what is wrong below each', () => {
  expect(listsText(listed)).toBe(`denylist  /c/denylist.txt
  LINE  PATTERN      HITS  LAST
  3     *.x.example  12    -

allowlist  /c/allowlist.txt
  (empty)
  bad line: /c/allowlist.txt:2: bad \\x1b[31m

passthrough list  /c/passthrough.txt
  (empty)

conflicts
  'a' is covered by 'b'

decided in a recorded run, on no list now (options, config, profile, or removed)
  LIST   PATTERN       HITS  LAST
  allow  gone.example  1     -
`);
});

test('colours change nothing but the escapes', () => {
  const coloured = listsText(listed, paint(true));
  expect(coloured).not.toBe(listsText(listed));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for.
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(listsText(listed));
});

// promise: cmd.colour
describe('colours are printed where they are wanted', () => {
  test.each([
    ['a terminal', {}, true, undefined, true],
    ['no terminal', {}, false, undefined, false],
    ['--no-color', { FORCE_COLOR: '1' }, true, false, false],
    ['NO_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, true, false],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true, true, true],
    ['FORCE_COLOR', { FORCE_COLOR: '1', TERM: 'dumb' }, false, true, true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, true, false],
    ['TERM=dumb', { TERM: 'dumb' }, true, true, false],
  ])('%s', (_, env, isTTY, color, expected) => {
    expect(wantsColor({ env, isTTY, color })).toBe(expected);
  });
});
