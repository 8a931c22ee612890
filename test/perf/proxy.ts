/**
 * What going through gate costs, beside nothing, mitmdump, http-mitm-proxy and mockttp: one TLS origin, one load
 * generator, each contender in a process of its own, in interleaved slices, so that a machine whose speed drifts slows
 * all of them alike. `npm run bench:proxy [-- --quick] [--rounds N] [--only gate,direct] [--scenarios keepalive,…]`
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadOrCreateAuthority } from '../../src/ca/authority.ts';
import { createLeafIssuer } from '../../src/ca/leaf.ts';
import { gatePaths } from '../../src/core/paths.ts';
import { createTestAuthority } from '../helpers/certs.ts';
import { type Contender, type ContenderName, type Scene, startContenders } from './support/contenders.ts';
import { cpuMs, end, forkOwn, idle, peakMb, startOwn } from './support/processes.ts';
import { rowsOf, type Slice } from './support/report.ts';
import { type Load, type Order, SCENARIOS, type ScenarioName } from './support/scenarios.ts';
import { quantile, short } from './support/statistics.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: 'direct,gate,mitmdump,http-mitm-proxy,mockttp' },
    scenarios: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
    /** Flags of Node for gate's process: `--gate-flags=--cpu-prof`. */
    'gate-flags': { type: 'string', default: '' },
  },
});
const ROUNDS = Number(values.rounds ?? (values.quick ? 2 : 4));
const SLICE_MS = values.quick ? 1000 : 2000;
/** For contenders that take seconds for a certificate. */
const HOSTS_MS = values.quick ? 3000 : 8000;

const home = mkdtempSync(join(tmpdir(), 'gate-bench-'));

async function measure(contenders: readonly Contender[], scene: Scene, load: ChildProcess): Promise<Slice[]> {
  const slices: Slice[] = [];
  for (const scenario of values.scenarios.split(',') as ScenarioName[]) {
    // New hosts can be new once, so the first round there is no warm-up.
    for (let round = scenario === 'hosts' ? 0 : -1; round < roundsOf(scenario); round += 1) {
      for (const contender of contenders) {
        const slice = await measureOne(contender, { scene, load, scenario, round });
        if (slice !== undefined && round >= 0) slices.push(slice);
      }
    }
    console.table(rowsOf(slices, scenario));
  }
  return slices;
}

function roundsOf(scenario: ScenarioName): number {
  return scenario === 'hosts' ? Math.min(2, ROUNDS) : ROUNDS;
}

interface Turn {
  readonly scene: Scene;
  readonly load: ChildProcess;
  readonly scenario: ScenarioName;
  readonly round: number;
}

/** One slice; undefined where the contender failed it, which is said. */
async function measureOne(contender: Contender, turn: Turn): Promise<Slice | undefined> {
  const { scenario, round } = turn;
  const { name, process: listening } = contender;
  const pid = listening?.child.pid;
  const before = pid === undefined ? 0 : cpuMs(pid);
  const warm = round < 0 ? SLICE_MS / 2 : SLICE_MS;
  try {
    const load = await obey(turn.load, {
      scenario,
      ms: scenario === 'hosts' ? HOSTS_MS : warm,
      originPort: turn.scene.originPort,
      proxyPort: listening?.port,
      tag: `r${round}`,
    });
    if (pid !== undefined) await idle(pid);
    const cpu = pid === undefined ? undefined : (cpuMs(pid) - before) / load.exchanges;
    return { scenario, contender: name, round, load, cpuMsPerExchange: cpu };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name} failed at ${scenario}, round ${round}: ${why}\n`);
    return undefined;
  }
}

function obey(load: ChildProcess, order: Order): Promise<Load> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer within 30 s')), 30_000);
    load.once('message', (said: { load?: Load; error?: string }) => {
      clearTimeout(timer);
      if (said.load === undefined) reject(new Error(said.error));
      else resolve(said.load);
    });
    load.send(order);
  });
}

/** The median time to mint a leaf for a host never seen, in milliseconds. */
function leafMs(): number {
  const issuer = createLeafIssuer(loadOrCreateAuthority(gatePaths({ GATE_HOME: join(home, 'leaves') })));
  const times = Array.from({ length: 500 }, (_, index) => {
    const started = performance.now();
    issuer.contextFor(`n${index}.bench.test`);
    return performance.now() - started;
  });
  return short(quantile(times, 0.5));
}

async function main(): Promise<void> {
  const authority = createTestAuthority('bench');
  const ca = join(home, 'origin-ca.pem');
  writeFileSync(ca, authority.ca);
  const identity = authority.issue(['127.0.0.1', '*.bench.test']);
  const origin = await startOwn('origin', [identity.key, identity.cert]);
  const gateFlags = values['gate-flags'].split(' ').filter((flag) => flag !== '');
  const scene: Scene = { home, ca, originPort: origin.port, gateFlags };
  const contenders = await startContenders(values.only.split(',') as ContenderName[], scene);
  const load = forkOwn('load');
  try {
    const slices = await measure(contenders, scene, load);
    const memory = contenders.flatMap(({ name, process: listening }) =>
      listening?.child.pid === undefined ? [] : [{ contender: name, 'peak MB': peakMb(listening.child.pid) }],
    );
    console.table(memory);
    const leafP50Ms = leafMs();
    console.log(`a leaf certificate: ${leafP50Ms} ms (p50 of 500)`);
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
    console.log(
      JSON.stringify({
        bench: 'proxy',
        rounds: ROUNDS,
        sliceMs: SLICE_MS,
        machine,
        leafP50Ms,
        memory,
        slices,
      }),
    );
  } finally {
    load.disconnect();
    for (const { process: listening } of contenders) if (listening !== undefined) await end(listening.child);
    await end(origin.child);
    rmSync(home, { recursive: true, force: true });
  }
}

await main();
