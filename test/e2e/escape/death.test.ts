/** When gate is killed nothing that it held lives on, and what it had written can be read. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateRun } from './harness.ts';
import { identities } from './identity.ts';
import { recordsOf, runsOf } from './ledger.ts';
import { PROGRAMS } from './places.ts';
import { createScene, type Scene } from './scene.ts';

/** The contract's bound for death, and what a beat of a tenth of a second adds on a busy machine. */
const GONE_AFTER = 1000;
const BEATS = ['child', 'orphan', 'nohup'];

interface Tree {
  readonly pid: number;
  readonly folder: string;
  /** Which of the descendants still leave marks, judged over half a second. */
  beating(): Promise<readonly string[]>;
  /** Processes anywhere on the machine whose command line names this tree's folder. */
  alive(): readonly number[];
}

async function plant(
  scene: Scene,
  name: string,
  argv: (tree: readonly string[]) => readonly string[],
): Promise<Tree> {
  const folder = scene.folder('home', name);
  const whole = [...scene.prefix, ...argv(['sh', `${PROGRAMS}/tree.sh`, folder])];
  const child = spawn(whole[0] ?? 'sh', whole.slice(1), {
    cwd: scene.home,
    env: scene.env,
    detached: true,
    stdio: 'ignore',
  });
  const marks = () => readdirSync(folder).filter((file) => statSync(join(folder, file)).size > 0);
  for (let i = 0; i < 100 && marks().length < BEATS.length + 2; i++) await sleep(50);
  expect(marks().sort(), 'every descendant had started').toEqual([...BEATS, 'stopped', 'stopped.pid'].sort());
  const read = () => BEATS.map((beat) => readFileSync(join(folder, beat), 'utf8'));
  return {
    pid: child.pid ?? 0,
    folder,
    beating: async () => {
      const before = read();
      await sleep(500);
      const after = read();
      return BEATS.filter((_, index) => before[index] !== after[index]);
    },
    alive: () => naming(folder),
  };
}

function naming(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe.each(identities())('death, as $name', (identity) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity);
  });
  afterAll(() => {
    for (const pid of scene === undefined ? [] : naming(join(scene.home, 'tree-')))
      process.kill(pid, 'SIGKILL');
    scene?.dispose();
  });

  it('without gate the descendants live on', async () => {
    const tree = await plant(scene, 'tree-bare', (argv) => argv);
    process.kill(tree.pid, 'SIGKILL');
    await sleep(GONE_AFTER);
    expect(await tree.beating()).toEqual(BEATS);
    expect(tree.alive().length).toBeGreaterThan(BEATS.length);
  });

  for (const [name, prepare] of [
    ['gate is killed', () => undefined],
    ['the helper is stopped first', (gate: number) => stopChildren(gate)],
  ] as const) {
    it(`${name}: everything in the jail dies with it`, async () => {
      const mark = `tree-${name.replaceAll(' ', '-')}`;
      const tree = await plant(scene, mark, (argv) => gateRun(['--label', `note=${mark}`], argv));
      expect(await tree.beating(), 'all of them beat before').toEqual(BEATS);
      prepare(tree.pid);
      process.kill(tree.pid, 'SIGKILL');
      await sleep(GONE_AFTER);
      expect(tree.alive(), 'processes left over').toEqual([]);
      expect(await tree.beating()).toEqual([]);
      const records = recordsOf(runsOf(scene.data).at(-1) ?? '');
      expect(records[0]).toMatchObject({ type: 'run.start', seq: 0, labels: { note: mark } });
      expect(records.at(-1)).not.toMatchObject({ type: 'run.end' });
    });
  }

  it('the next run starts as if nothing had happened', async () => {
    mkdirSync(join(scene.home, 'next'), { recursive: true });
    const whole = [...scene.prefix, ...gateRun(['--quiet'], ['echo', 'alive'])];
    const out = execFileSync(whole[0] ?? '', whole.slice(1), { cwd: scene.home, env: scene.env });
    expect(out.toString()).toBe('alive\n');
    expect(recordsOf(runsOf(scene.data).at(-1) ?? '').at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 });
  });
});

/** Stops gate's helper and whatever of the jail can be seen from outside, so that none can clean up by itself. */
function stopChildren(gate: number): void {
  const children = readFileSync(`/proc/${gate}/task/${gate}/children`, 'utf8').trim().split(' ');
  for (const pid of children.filter((text) => text !== '')) process.kill(Number(pid), 'SIGSTOP');
}
