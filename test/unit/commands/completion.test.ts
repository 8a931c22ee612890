import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bashCompletion } from '../../../src/commands/completion/bash.ts';
import { fishCompletion } from '../../../src/commands/completion/fish.ts';
import { completionNodes } from '../../../src/commands/completion/nodes.ts';
import { zshCompletion } from '../../../src/commands/completion/zsh.ts';
import { commandTree } from '../../docs/pages.ts';
import { findProgram } from '../../helpers/programs.ts';

const nodes = completionNodes(commandTree());
const of = (path: string) => nodes.find((node) => node.path === path);

// promise: completion
test('knows what can follow each command', () => {
  expect(of('gate')?.commands).toContain('lists');
  expect(of('gate lists')?.commands).toEqual(['suggest']);
  expect(of('gate completion')?.words.map(({ word }) => word)).toEqual(['bash', 'zsh', 'fish']);
  expect(of('gate help')?.words.map(({ word }) => word)).toEqual(expect.arrayContaining(['jail', 'run']));
  expect(of('gate run')).toMatchObject({ wraps: true });
  expect(of('gate scan')).toMatchObject({ files: true });
  const values = Object.fromEntries(of('gate run')?.options.map(({ word, value }) => [word, value]) ?? []);
  expect(values).toMatchObject({ '--upstream-ca': 'file', '--label': 'text' });
  expect(values['--enforce']).toBeUndefined();
});

test.for([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
] as const)('%s gets a script with every option, which it can read', ([shell, make], { skip }) => {
  const script = make(nodes);
  for (const { options } of nodes) for (const { long } of options) expect(script).toContain(long);
  skip(findProgram(shell) === undefined, `no ${shell} here`);
  // A file, since fish reads no pipe of Node's.
  const file = join(mkdtempSync(join(tmpdir(), 'gate-completion-')), 'script');
  writeFileSync(file, script);
  const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  rmSync(dirname(file), { recursive: true });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
