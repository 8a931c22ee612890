import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentVersion } from '../../../src/supervisor/agent-version.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gate-agent-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(path: string, text: string): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

/** A link in `bin/`, as installers make them. */
function link(name: string, file: string): void {
  mkdirSync(join(dir, 'bin'), { recursive: true });
  symlinkSync(file, join(dir, 'bin', name));
}

const versionOf = (program: string) =>
  agentVersion(program, { env: { PATH: `/nowhere:${join(dir, 'bin')}` }, cwd: dir });

test('of a package: by the package.json that names the program', () => {
  put('lib/a/package.json', JSON.stringify({ version: '2.0.14', bin: { claude: 'dist/cli.js' } }));
  link('claude', put('lib/a/dist/cli.js', '#!/bin/sh\n'));
  expect(versionOf('claude')).toBe('2.0.14');
  expect(versionOf('./bin/claude')).toBe('2.0.14');
  put('lib/b/package.json', JSON.stringify({ name: '@x/codex', version: '0.63.0-alpha.1', bin: 'codex.js' }));
  link('codex', put('lib/b/codex.js', '#!/bin/sh\n'));
  expect(versionOf('codex')).toBe('0.63.0-alpha.1');
});

test('of a program alone: by the folder or file that is named like a version', () => {
  link('claude', put('share/claude/versions/2.0.14', '#!/bin/sh\n'));
  link('codex', put('Cellar/codex/0.63.0/bin/codex', '#!/bin/sh\n'));
  expect(versionOf('claude')).toBe('2.0.14');
  expect(versionOf('codex')).toBe('0.63.0');
});

test('none where nothing tells it', () => {
  put('package.json', JSON.stringify({ name: 'project', version: '1.2.3', bin: { other: 'x' } }));
  put('bin/claude', '#!/bin/sh\n');
  put('damaged/package.json', '{');
  link('codex', put('damaged/codex', '#!/bin/sh\n'));
  expect(versionOf('claude')).toBeUndefined();
  expect(versionOf('codex')).toBeUndefined();
  expect(versionOf('gemini')).toBeUndefined();
});
