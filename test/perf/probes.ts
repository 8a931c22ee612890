/**
 * The suites of the engine, and hostile first bytes, against gate and http-mitm-proxy. Writes docs/probe-comparison.md,
 * prints the totals and JSON; fails where gate does not hold a case. `npm run bench:probes`
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '../helpers/certs.ts';
import { type Judged, judgeFirstBytes } from './support/hostile-bytes.ts';
import { pageOf, rowsOf, totalsOf } from './support/probe-page.ts';
import { runSuites } from './support/probe-suites.ts';

const OTHER = 'http-mitm-proxy';
const PAGE = join(import.meta.dirname, '../../docs/probe-comparison.md');

async function firstBytes(): Promise<Judged[]> {
  const home = mkdtempSync(join(tmpdir(), 'gate-probes-'));
  const ca = join(home, 'origin-ca.pem');
  writeFileSync(ca, createTestAuthority('probes').ca);
  try {
    return await judgeFirstBytes(['gate', OTHER], [home, ca, '443']);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function versionOf(name: string): string {
  const main = createRequire(import.meta.url).resolve(name);
  const root = main.slice(0, main.indexOf(`/node_modules/${name}/`));
  const file = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

async function main(): Promise<void> {
  const judged = await firstBytes();
  const rows = rowsOf(await runSuites('gate'), await runSuites(OTHER));
  const version = versionOf(OTHER);
  writeFileSync(PAGE, pageOf(rows, judged, version));
  const totals = totalsOf(rows);
  console.table([totals]);
  console.log(
    JSON.stringify({ bench: 'probes', [OTHER]: version, node: process.version, totals, rows, judged }),
  );
  process.exitCode = totals['gate'] === totals['cases'] ? 0 : 1;
}

await main();
