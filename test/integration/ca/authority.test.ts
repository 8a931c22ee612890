import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gatePaths } from '../../../src/core/paths.ts';

const run = promisify(execFile);
const source = (path: string) => pathToFileURL(resolve(import.meta.dirname, '../../../src', path)).href;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gate-ca-race-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Loads the authority at an agreed moment, so that the processes meet; prints its fingerprint. */
const PROGRAM = `
  const { loadOrCreateAuthority } = await import(process.env.AUTHORITY);
  const { gatePaths } = await import(process.env.PATHS);
  await new Promise((resolve) => setTimeout(resolve, process.env.START - Date.now()));
  const { cert, key } = loadOrCreateAuthority(gatePaths(process.env));
  process.stdout.write(cert.checkPrivateKey(key) ? cert.fingerprint256 : 'mismatch');
`;

test('eight processes that make the CA at the same moment agree on one', async () => {
  const env = {
    ...process.env,
    GATE_HOME: home,
    AUTHORITY: source('ca/authority.ts'),
    PATHS: source('core/paths.ts'),
    START: String(Date.now() + 6000),
  };
  const args = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
  const results = await Promise.all(Array.from({ length: 8 }, () => run(process.execPath, args, { env })));
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
  expect(results[0]?.stdout).toMatch(/^([0-9A-F]{2}:){31}/);
  expect(readdirSync(gatePaths({ GATE_HOME: home }).caDir).sort()).toEqual(['ca.key', 'ca.pem']);
});
