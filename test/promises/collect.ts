import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Promised {
  readonly id: string;
  readonly text: string;
  readonly section: string;
}

export interface Held {
  readonly id: string;
  readonly file: string;
  readonly test: string;
}

/** The promises, in the order of promises.txt. */
export function readPromises(root: string): Promised[] {
  let section = '';
  const found: Promised[] = [];
  for (const line of readFileSync(join(root, 'test/promises/promises.txt'), 'utf8').split('\n')) {
    if (line.startsWith('# ')) section = line.slice(2);
    const match = /^([\w.-]+): (.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined)
      found.push({ id: match[1], text: match[2], section });
  }
  return found;
}

/** Every `// promise: id, id` comment in the tests, with the title of the test that follows it. */
export function readHeld(root: string): Held[] {
  const held: Held[] = [];
  for (const file of testFiles(join(root, 'test'))) {
    const text = readFileSync(file, 'utf8');
    for (const mark of text.matchAll(/^\s*\/\/ promise: (.+)$/gm)) {
      const after = text.slice(mark.index + mark[0].length);
      // `test('…'`, or the second call of `test.each(rows)('…'`.
      const title = /(?:(?:test|it|describe|claim)[\w.]*|\))\(\s*(?:`([^`]+)`|'([^']+)'|"([^"]+)")/.exec(
        after,
      );
      const test = title?.[1] ?? title?.[2] ?? title?.[3] ?? '';
      for (const id of (mark[1] ?? '').split(','))
        held.push({ id: id.trim(), file: relative(root, file), test });
    }
  }
  return held;
}

/** The page docs/promises.md. */
export function promisesPage(promises: readonly Promised[], held: readonly Held[]): string {
  const holes = promises.filter(({ id }) => !held.some((each) => each.id === id));
  const lines = [
    '# What is promised, and the test that holds it',
    '',
    'Generated from `test/promises/promises.txt` and the `// promise: id` comments in the tests by `npm run docs`.',
    '',
    `${promises.length} promises, ${promises.length - holes.length} held by a test, ${holes.length} holes.`,
  ];
  for (const section of new Set(promises.map((each) => each.section))) {
    lines.push('', `## ${section}`, '', '| promise | says | held by |', '| --- | --- | --- |');
    for (const { id, text } of promises.filter((each) => each.section === section)) {
      const tests = held.filter((each) => each.id === id).map(({ file, test }) => `${file}: ${test}`);
      const by = tests.length === 0 ? '*hole*' : tests.join('<br>');
      lines.push(`| ${[id, text, by].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function testFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
