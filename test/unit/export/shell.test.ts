import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { marked, shellWord } from '../../../src/export/shell.ts';

/** What a real shell makes of a word. */
function spoken(word: string): string {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s' ${word}`], { env: { TOKEN: "se cr'et $HOME" } });
  return stdout.toString('latin1');
}

test.each([
  'plain',
  '',
  "it's",
  "'''",
  '$HOME `id` $(id) \\ "x" !x',
  'a\nb\r\n\tc',
  '*?[]{}~#&;|<>',
  '-n',
  'https://a.test/?a=1&b=[2]',
])('a shell reads %j as it is', (text) => {
  expect(spoken(shellWord(text))).toBe(text);
});

test('a variable is filled in where its mark is, and nowhere else', () => {
  expect(shellWord(`Bearer ${marked('TOKEN')}`)).toBe(`'Bearer '"$TOKEN"`);
  expect(spoken(shellWord(`it's ${marked('TOKEN')}, $TOKEN`))).toBe("it's se cr'et $HOME, $TOKEN");
});

test('a header that came as UTF-8 goes as the same bytes', () => {
  const recorded = Buffer.from('grüße', 'utf8').toString('latin1');
  expect(spoken(shellWord(recorded))).toBe(recorded);
});
