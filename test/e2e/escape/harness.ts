/** Runs probes on both sides of the jail and turns what happened into tests. */
import { existsSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { identities, isRoot, NODE } from './identity.ts';
import { digest, matches, type PlainRecord, recordsOf, runsOf } from './ledger.ts';
import { CLI, MACHINE, PROGRAMS, PYTHON, which } from './places.ts';
import { type Attempt, fill, type Need, type Probe, verdictOf } from './probe.ts';
import { createScene, type Scene, type SceneOptions } from './scene.ts';
import type { Hit } from './sinks.ts';

type Side = 'outside' | 'inside';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly signal?: string;
}

/** Runs a command of the scene as its user. Never in our process group: what escapes may signal it. */
export async function runIn(
  scene: Scene,
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; timeout?: number; input?: string } = {},
): Promise<Ran> {
  const whole = [...scene.prefix, ...argv];
  const done = await execa(whole[0] ?? '', whole.slice(1), {
    cwd: options.cwd ?? scene.home,
    env: { ...scene.env, ...options.env },
    extendEnv: false,
    reject: false,
    detached: true,
    input: options.input ?? '',
    timeout: options.timeout ?? 60_000,
    killSignal: 'SIGKILL',
  });
  const ran = { code: done.exitCode ?? -1, stdout: done.stdout, stderr: done.stderr };
  return done.signal === undefined ? ran : { ...ran, signal: done.signal };
}

/** The same scene with a command line between its namespaces and its user, who may lack the rights for it. */
export function behind(scene: Scene, entry: readonly string[]): Scene {
  const user = scene.identity.prefix;
  const spaces = scene.prefix.slice(0, scene.prefix.length - user.length);
  return { ...scene, prefix: [...spaces, ...entry, ...user] };
}

/** The command line of `gate run …`. */
export function gateRun(
  options: readonly string[],
  command: readonly string[],
  program: readonly string[] = [NODE, CLI],
): string[] {
  return [...program, 'run', ...options, '--', ...command];
}

/** Adds the pid of what is started as its last argument: the shell that knows it becomes the program. */
function withOwnPid(argv: readonly string[]): string[] {
  return ['sh', '-c', 'exec "$@" "$$"', 'sh', ...argv];
}

export interface SuiteOptions extends SceneOptions {
  /** Options of `gate run`; `{name}` stands for a fact of the scene. */
  readonly gate?: readonly string[];
  /** Text of config.toml. */
  readonly config?: string;
  readonly cwd?: string;
  /** A command line that both sides are started behind, with what it leaves open or mounts. */
  readonly entry?: readonly string[];
  /** Node and program under test, where they are not the built ones of this checkout. */
  readonly program?: readonly string[];
  /** Variables of the probes outside, for example a proxy that the test brings. */
  readonly outsideEnv?: (scene: Scene) => Promise<Record<string, string>>;
  /** Lays out what the probes need; called before each side, since the attempts outside do their damage. */
  readonly lay?: (scene: Scene, side: Side) => void | Promise<void>;
  /** Looks at the host after the run inside: what must be untouched. */
  readonly after?: (scene: Scene, inside: Ran) => void | Promise<void>;
  /** Takes away what `lay` left outside the scene's folder. */
  readonly undo?: (scene: Scene) => void | Promise<void>;
  /** Targets that probes inside may legitimately reach. */
  readonly reachable?: readonly string[];
  /** How many probes outside may run at once. */
  readonly parallel?: number;
  /** Seconds that a probe may take, where it waits for something: 15 without. */
  readonly patience?: number;
}

interface SideResult {
  readonly attempts: ReadonlyMap<string, Attempt>;
  readonly ran: Ran;
  readonly hits: readonly Hit[];
}

/** Why this machine or user cannot try the probe, if so. */
export function missing(needs: readonly Need[], scene: Scene): string | undefined {
  for (const need of needs) {
    const [kind, what] = need.split(/:(.*)/);
    if (kind === 'root' && scene.identity.name !== 'root') return 'only root can do this at all';
    if (kind === 'user' && scene.identity.name !== 'user') return 'says nothing when root does it';
    if (kind === 'far' && !isRoot()) return 'needs root to make a network of its own';
    if (kind === 'machine4' && MACHINE.v4 === undefined)
      return 'the machine has no IPv4 address but loopback';
    if (kind === 'machine6' && MACHINE.v6 === undefined)
      return 'the machine has no IPv6 address but loopback';
    if (kind === 'tool' && which(what ?? '') === undefined) return `${what} is not installed`;
    if (kind === 'file' && !existsSync(what ?? '')) return `${what} does not exist here`;
  }
  return undefined;
}

/** Runs the probes of one side in one go: outside bare, inside in a single `gate run`. */
export async function runSide(
  scene: Scene,
  side: Side,
  probes: readonly Probe[],
  options: SuiteOptions = {},
): Promise<SideResult> {
  await options.lay?.(scene, side);
  const extra = side === 'outside' ? ((await options.outsideEnv?.(scene)) ?? {}) : {};
  // Inside nothing is supposed to move, so nothing there can be in another probe's way.
  const parallel = side === 'outside' ? (options.parallel ?? 4) : Math.max(options.parallel ?? 4, 4);
  const spec = join(scene.dir, `${side}.json`);
  const list = probes.map((probe) => ({
    name: probe.name,
    argv: probe[side].map((part) => fill(part, scene.facts)),
    env: { PROBE_SIDE: side, PROBE_HOST_MNT: readlinkSync('/proc/self/ns/mnt'), ...extra },
    ...(probe.cwd === undefined ? {} : { cwd: fill(probe.cwd, scene.facts) }),
    ...(options.patience === undefined ? {} : { timeout: options.patience }),
  }));
  writeFileSync(spec, JSON.stringify({ token: scene.token, parallel, probes: list }));
  const batch = [PYTHON, `${PROGRAMS}/batch.py`, spec];
  const given = (options.gate ?? []).map((part) => fill(part, scene.facts));
  const before = (await scene.hits()).length;
  const program = options.program?.map((part) => fill(part, scene.facts));
  const bare =
    side === 'outside' ? [...batch, scene.facts['canary'] ?? ''] : withOwnPid(gateRun(given, batch, program));
  const entry = (options.entry ?? []).map((part) => fill(part, scene.facts));
  const cwd = options.cwd === undefined ? {} : { cwd: fill(options.cwd, scene.facts) };
  const ran = await runIn(behind(scene, entry), bare, { ...cwd, timeout: 100_000 });
  const attempts = new Map<string, Attempt>();
  for (const line of ran.stdout.split('\n').filter((text) => text.startsWith('{"probe"'))) {
    const { probe } = JSON.parse(line) as { probe: Attempt };
    attempts.set(probe.name, probe);
  }
  return { attempts, ran, hits: (await scene.hits()).slice(before) };
}

interface Results {
  readonly scene: Scene;
  readonly outside: SideResult;
  readonly inside: SideResult;
  readonly records: readonly PlainRecord[];
}

async function runBoth(scene: Scene, probes: readonly Probe[], options: SuiteOptions): Promise<Results> {
  if (!existsSync(CLI)) throw new Error('dist/cli.js is missing: run `npm run build` first');
  const able = probes.filter((probe) => missing(probe.needs ?? [], scene) === undefined);
  if (options.config !== undefined) {
    writeFileSync(join(scene.config, 'config.toml'), options.config, { mode: 0o644 });
  }
  const outside = await runSide(scene, 'outside', able, options);
  const inside = await runSide(scene, 'inside', able, options);
  const run = runsOf(scene.data).at(-1);
  return { scene, outside, inside, records: run === undefined ? [] : recordsOf(run) };
}

interface Tally {
  outside: number;
  inside: number;
  recorded: number;
  readonly skipped: string[];
}

/** Fails, skips or passes one probe by what both sides and the ledger say. */
function check(probe: Probe, results: Results, tally: Tally, context: TestContext): void {
  const skip = (reason: string): never => {
    tally.skipped.push(`${probe.name}: ${reason}`);
    return context.skip(reason);
  };
  const { scene, outside, inside, records } = results;
  const lack = missing(probe.needs ?? [], scene);
  if (lack !== undefined) skip(lack);
  const bare = outside.attempts.get(probe.name);
  if (bare === undefined) throw new Error(`did not run outside:\n${outside.ran.stderr.slice(-2000)}`);
  const control = verdictOf(bare);
  if (control.word === 'unable') skip(control.how);
  expect(control, `an invalid probe: outside the jail it must succeed\n${bare.stderr}`).toMatchObject({
    started: true,
    word: 'escaped',
  });
  tally.outside += 1;
  const jailed = inside.attempts.get(probe.name);
  if (jailed === undefined) {
    throw new Error(
      `did not run inside (gate exited ${inside.ran.code}):\n${inside.ran.stderr.slice(-2000)}`,
    );
  }
  const found = verdictOf(jailed);
  if (probe.control) {
    expect(found, jailed.stderr).toMatchObject({ started: true, word: 'escaped' });
    return;
  }
  expect(found.word === 'escaped' ? `GOT OUT: ${found.how}` : 'held').toBe('held');
  expect(found.started, `the probe did not run: ${found.how} ${jailed.stderr}`).toBe(true);
  expect(`${found.how}`, 'held, but not in the way that was meant').toMatch(probe.expect);
  tally.inside += 1;
  if (probe.ledger === undefined) return;
  const wanted = Object.fromEntries(
    Object.entries(probe.ledger).map(([path, value]) => [path, fill(value, scene.facts)]),
  );
  const seen = records.some((record) => matches(record, wanted));
  expect(seen, `the ledger lacks ${JSON.stringify(wanted)}:\n${digest(records)}`).toBe(true);
  tally.recorded += 1;
}

/** One describe per user, one test per probe, and the tests that hold for all of them together. */
export function describeProbes(title: string, probes: readonly Probe[], options: SuiteOptions = {}): void {
  describe.each(identities())(`${title}, as $name`, (identity) => {
    const tally: Tally = { outside: 0, inside: 0, recorded: 0, skipped: [] };
    let scene: Scene;
    let results: Results;
    beforeAll(async () => {
      scene = await createScene(identity, options);
      results = await runBoth(scene, probes, options);
    });
    afterAll(async () => {
      await options.undo?.(scene);
      scene?.dispose();
      const { outside, inside, recorded, skipped } = tally;
      const line = `escape: ${title}, as ${identity.name}: ${outside} worked outside, ${inside} held inside, ${recorded} recorded, ${skipped.length} skipped`;
      process.stdout.write(`${[line, ...skipped.map((text) => `  skipped ${text}`)].join('\n')}\n`);
    });
    for (const probe of probes) {
      it(probe.name, (context) => check(probe, results, tally, context));
    }
    it('nothing inside touched a target, the canary or gate', async () => {
      const reachable = new Set(options.reachable ?? []);
      const touched = results.inside.hits.filter((hit) => !reachable.has(hit.target));
      expect(touched.map((hit) => `${hit.target}: ${hit.data.slice(0, 80)}`).join('\n')).toBe('');
      expect(results.scene.canary.alive(), 'the canary lives').toBe(true);
      expect(results.inside.ran, 'gate ended as its command did').toMatchObject({ code: 0 });
      expect(results.records.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 });
      await options.after?.(results.scene, results.inside.ran);
    });
  });
}
