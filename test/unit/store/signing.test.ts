import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GatePaths } from '../../../src/core/paths.ts';
import { createHeads } from '../../../src/store/heads.ts';
import { findRun } from '../../../src/store/runs.ts';
import { loadSigner, loadSignerKey, signingFiles } from '../../../src/store/signing.ts';
import { verifyRun } from '../../../src/store/verify.ts';
import { findProgram } from '../../helpers/programs.ts';
import { openTestRun, tempPaths } from './support.ts';

async function signedRun(paths: GatePaths) {
  const { run, writer } = openTestRun(paths);
  const heads = createHeads(paths, loadSigner(paths));
  heads.opened(run);
  writer.append('run.start', { run });
  heads.closed(run, await writer.close());
  return run;
}

async function signatureErrors(paths: GatePaths, keyFile = signingFiles(paths).open): Promise<string[]> {
  const key = loadSignerKey(keyFile);
  const { findings } = await verifyRun(findRun(paths, 'last'), key === undefined ? {} : { key });
  return findings.map(({ kind, level }) => `${level} ${kind}`);
}

function editHeads(paths: GatePaths, edit: (text: string) => string): void {
  writeFileSync(paths.heads, edit(readFileSync(paths.heads, 'utf8')));
}

// promise: ledger.tamper
describe('signed heads', () => {
  it('are made with one key, which only its owner can read, and check out', async () => {
    const paths = tempPaths();
    await signedRun(paths);
    const { secret, open } = signingFiles(paths);
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    const made = readFileSync(open, 'utf8');
    expect(await signatureErrors(paths)).toEqual([]);
    expect(loadSigner(paths).key).toBe(loadSignerKey(open)?.key);
    expect(readFileSync(open, 'utf8')).toBe(made);
  });

  it('show an edited head, a removed signature and another key', async () => {
    const paths = tempPaths();
    await signedRun(paths);
    const text = readFileSync(paths.heads, 'utf8');
    editHeads(paths, () => text.replace(/(?<="head":")./, (digit) => (digit === '0' ? '1' : '0')));
    expect(await signatureErrors(paths)).toContain('error signature_wrong');
    editHeads(paths, () => text.replace(/,"signature":\{[^}]*\}/, ''));
    expect(await signatureErrors(paths)).toEqual(['error signature_missing']);
    editHeads(paths, () => text);
    const other = tempPaths();
    loadSigner(other);
    expect(await signatureErrors(paths, signingFiles(other).open)).toEqual(['error signature_wrong']);
    rmSync(signingFiles(paths).open);
    expect(await signatureErrors(paths)).toEqual(['error signature_wrong']);
  });

  it('never get a new key in silence', () => {
    const paths = tempPaths();
    loadSigner(paths);
    const { secret, open } = signingFiles(paths);
    const pem = readFileSync(secret);
    rmSync(secret);
    expect(() => loadSigner(paths)).toThrow(expect.objectContaining({ code: 'bad_sign_key' }));
    writeFileSync(secret, 'no key');
    expect(() => loadSigner(paths)).toThrow(expect.objectContaining({ code: 'bad_sign_key' }));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(secret, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(() => loadSigner(paths)).toThrow('not an Ed25519 key');
    writeFileSync(secret, pem);
    rmSync(open);
    expect(loadSigner(paths).key).toBe(loadSignerKey(open)?.key);
  });

  it('can be checked with openssl, as the documentation says', async ({ skip }) => {
    skip(findProgram('openssl') === undefined, 'no openssl here');
    const paths = tempPaths();
    const run = await signedRun(paths);
    const page = readFileSync(new URL('../../../docs/data-format.md', import.meta.url), 'utf8');
    const script = /```sh\n(run=.*?)```/s.exec(page)?.[1] ?? '';
    const check = () =>
      spawnSync('sh', ['-c', `set -- ${run}\n${script}`], { cwd: paths.data, encoding: 'utf8' });
    const { stdout, stderr } = check();
    expect(stdout, stderr).toContain('Signature Verified Successfully');
    editHeads(paths, (text) => text.replace(/"records":1/, '"records":2'));
    expect(check().stdout).not.toContain('Successfully');
  });
});
