/**
 * What it costs to start: `gate run -- true` and `gate --help` beside a bare `node -e 0`, in interleaved rounds, so
 * that a machine whose speed drifts slows all of them alike. `npm run bench:start [rounds]`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = Number(process.argv[2] ?? 20);
const gate = join(import.meta.dirname, '../../dist/cli.js');
const home = mkdtempSync(join(tmpdir(), 'gate-bench-'));
const env = { PATH: process.env['PATH'] ?? '', HOME: home, GATE_HOME: join(home, 'gate') };

const CASES: Readonly<Record<string, readonly string[]>> = {
  'node -e 0': ['-e', '0'],
  'gate --help': [gate, '--help'],
  'gate run -- true': [gate, 'run', '--quiet', '--', 'true'],
};

function once(args: readonly string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env, cwd: home, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')}: exit ${status}: ${stderr}`);
  return performance.now() - started;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

const times = new Map(Object.keys(CASES).map((name) => [name, [] as number[]]));
for (let round = -1; round < ROUNDS; round += 1) {
  for (const [name, args] of Object.entries(CASES)) {
    const ms = once(args);
    // The first round warms caches and makes the CA.
    if (round >= 0) times.get(name)?.push(ms);
  }
}
rmSync(home, { recursive: true, force: true });

const base = quantile(
  [...(times.get('node -e 0') ?? [])].sort((a, b) => a - b),
  0.5,
);
const rows = [...times].map(([name, all]) => {
  const sorted = [...all].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    command: name,
    minMs: Math.round(sorted[0] ?? 0),
    medianMs: Math.round(median),
    p90Ms: Math.round(quantile(sorted, 0.9)),
    overNodeMs: Math.round(median - base),
  };
});
console.table(rows);
console.log(JSON.stringify({ rounds: ROUNDS, rows }));
