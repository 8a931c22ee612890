import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import { packageRoot } from '../core/package-root.ts';
import { runPaths } from '../core/paths.ts';
import { listRuns } from '../store/runs.ts';
import type { Checked } from './check.ts';
import { type ChildEnd, runChild } from './child.ts';
import { type Evidence, hashOf, readEvidence } from './evidence.ts';
import { type DemoHome, madeUpKey, makeHome, newName } from './home.ts';
import { judge } from './judge.ts';
import type { AgentLine } from './line.ts';
import { ATTEMPTS, HOSTS, type Plan } from './plan.ts';
import { type Provider, startProvider } from './provider.ts';
import { readAgentLines, readVerdict } from './read.ts';
import { startWitness, type Witness } from './witness.ts';

/** What a demo came to. */
export interface DemoReport {
  /** Everything happened as it should. */
  readonly ok: boolean;
  readonly run: RunId;
  readonly checks: readonly Checked[];
  /** What the run counted: exchanges, blocked, refused, flags … */
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
  /** The home that was kept. */
  readonly home?: string;
}

export interface DemoOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Leave the demo's home where it is. */
  readonly keep: boolean;
  /** Ends it early; it then rejects with the signal's reason when everything is cleaned up. */
  readonly signal: AbortSignal;
}

/**
 * Runs a sample agent with the real `gate run`, against servers of its own on this machine, in a home of its own, and
 * judges what came of it. Leaves nothing behind unless told to. Throws GateError `demo_no_jail` where the run could
 * not be started.
 */
export async function demo({ env, keep, signal }: DemoOptions): Promise<DemoReport> {
  const started = performance.now();
  const home = makeHome(env);
  let isKept = false;
  try {
    const [provider, witness] = await Promise.all([startProvider(home.providerDir), startWitness()]);
    try {
      const report = await perform({ home, provider, witness, signal });
      isKept = keep;
      const durationMs = Math.round(performance.now() - started);
      return { ...report, durationMs, ...(keep ? { home: home.dir } : {}) };
    } finally {
      await Promise.all([provider.stop(), witness.stop()]);
    }
  } finally {
    if (!isKept) home.remove();
  }
}

interface Stage {
  readonly home: DemoHome;
  readonly provider: Provider;
  readonly witness: Witness;
  readonly signal: AbortSignal;
}

async function perform(stage: Stage): Promise<Omit<DemoReport, 'durationMs' | 'home'>> {
  const { home, provider, witness } = stage;
  const plan = makePlan(stage);
  writeFileSync(home.planFile, JSON.stringify(plan), { mode: 0o600 });
  const before = hashOf(home.paths.allowlist);
  const outside = await tryOutside(stage);
  const edited = hashOf(home.paths.allowlist);
  home.writeAllowlist();
  const arrivedBefore = witness.arrived();
  const inside = await runJailed(stage);
  const run = runOf(home, inside);
  const ledger = await readEvidence(runPaths(home.paths, run).ledger);
  const verified = readVerdict((await gate(stage, ['verify', 'last', '--json'])).lines);
  const evidence: Evidence = {
    plan,
    outside: readAgentLines(outside.lines),
    inside: readAgentLines(inside.lines),
    provider: provider.calls,
    providerPort: provider.port,
    arrived: { before: arrivedBefore, after: witness.arrived() },
    allowlist: { before, edited, after: hashOf(home.paths.allowlist) },
    exitCode: inside.code,
    ledger,
    verified,
  };
  const checks = judge(evidence);
  const end = ledger.records.find((record) => record.type === 'run.end');
  return { ok: checks.every(({ ok }) => ok), run, checks, counts: end?.counts ?? {} };
}

function makePlan({ home, witness }: Stage): Plan {
  const { address, tcpPort, udpPort } = witness;
  return {
    key: madeUpKey(),
    outside: { address, tcpPort, udpPort },
    names: { outside: newName('leak.test'), jail: newName('leak.test') },
    allowlist: home.paths.allowlist,
    caKey: home.paths.caKey,
  };
}

/** The agent as the demo's own child: a way out that does not work here proves nothing when it fails in the jail. */
async function tryOutside({ home, signal }: Stage): Promise<ChildEnd> {
  // Its own resolver is the machine's: that name would really be asked for.
  const ways = ATTEMPTS.filter((name) => name !== 'name');
  const { env, work, planFile } = home;
  return await runChild({
    script: distFile('demo-agent.js'),
    args: [planFile, ...ways],
    cwd: work,
    env,
    signal,
  });
}

/** `gate run -- node demo-agent.js`: the product itself, in a process of its own. */
async function runJailed(stage: Stage): Promise<ChildEnd> {
  const { home, provider } = stage;
  const to = (host: string) => ['--resolve', `${host}:443:127.0.0.1:${provider.port}`];
  const options = [...to(HOSTS.model), ...to(HOSTS.collector), '--upstream-ca', provider.caFile];
  const agent = [process.execPath, distFile('demo-agent.js'), home.planFile];
  return await gate(stage, ['run', '--mode', 'airtight', ...options, '--', ...agent], (line) => {
    if (line === FIRST_EVENT) provider.firstEventArrived();
  });
}

const FIRST_EVENT = JSON.stringify({ type: 'first-event' } satisfies AgentLine);

async function gate(
  { home, signal }: Stage,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<ChildEnd> {
  const child = { script: distFile('cli.js'), args, cwd: home.work, env: home.env, signal };
  return await runChild({ ...child, ...(onLine === undefined ? {} : { onLine }) });
}

/** The run that was made. Throws GateError `demo_no_jail`, with the words of `gate run`, where there is none. */
function runOf({ paths }: DemoHome, { code, stderr }: ChildEnd): RunId {
  const run = listRuns(paths).at(-1)?.run;
  if (run !== undefined && code !== 125) return run;
  const [first = '', hint] = stderr.split('\n').filter((line) => line.trim() !== '');
  const reason = first.replace(/^gate: /, '') || `gate run ended with ${code} and said nothing`;
  throw new GateError('demo_no_jail', `the demo could not be run in the jail: ${reason}`, {
    hint: hint === undefined ? 'gate doctor' : `${hint.trim()}\n  gate doctor`,
  });
}

function distFile(name: string): string {
  return join(packageRoot(), 'dist', name);
}
