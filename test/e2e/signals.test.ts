import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alive } from '../helpers/processes.ts';
import { type AnyRecord, type TestHome, testHome } from '../helpers/product.ts';
import { runScript, type Started, startGate, within } from '../helpers/shell.ts';

/** Signals that reach gate from outside a terminal: `kill`, `timeout`, a supervisor, a closing session. */
let home: TestHome;
beforeAll(() => {
  home = testHome();
  const config = home.at('config');
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(join(config, 'config.toml'), 'version = 1\n[run]\nkillAfterMs = 1500\n', { mode: 0o600 });
});
afterAll(() => home.remove());

// One process and no child: what the group hears, bash alone hears.
const LOOP = 'exec 8<> <(:); echo up; while :; do read -t 0.05 -u 8; done';
const SLEEP = 'ulimit -c 0; echo up; exec sleep 60';
const inBash = (script: string) => startGate(home, ['run', '--', 'bash', '-c', script]);

async function signalled(script: string, ...signals: NodeJS.Signals[]) {
  const started = inBash(script);
  await started.says(/^up$/m);
  for (const signal of signals) {
    process.kill(started.pid, signal);
    await sleep(100);
  }
  return started.ended;
}

/** The last record of the latest run, once the run has one. */
function lastRecord(): AnyRecord | undefined {
  return home.ledger().at(-1);
}

// promise: jail.self, exit.own
describe('a command that handles a signal ends as it likes', () => {
  test.each(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s',
    async (signal) => {
      const script = `trap 'echo got; exit 9' ${signal.slice(3)}; ${LOOP}`;
      const result = await signalled(script, signal);
      expect(result.stdout.toString()).toBe('up\ngot\n');
      expect(result).toMatchObject({ code: 9, signal: null });
      expect(result.stderr).toMatch(/^gate: .*\n$/);
      expect(lastRecord()).toMatchObject({ type: 'run.end', exitCode: 9 });
    },
  );
});

// promise: exit.signal
describe('a command that does not handle it ends by it', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
    ['SIGUSR1', 138],
    ['SIGUSR2', 140],
  ] as const)('%s', async (signal, code) => {
    expect(await signalled(SLEEP, signal)).toMatchObject({ code });
    expect(lastRecord()).toMatchObject({ type: 'run.end', signal });
  });

  test('SIGINT ends gate by SIGINT too', async () => {
    expect(await signalled(SLEEP, 'SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(lastRecord()).toMatchObject({ type: 'run.end', signal: 'SIGINT' });
  });
});

describe('a command that will not end', () => {
  // promise: exit.signal
  test('is killed when its time after SIGTERM is over', async () => {
    const started = inBash(`trap 'echo no' TERM; ${LOOP}`);
    await started.says(/^up$/m);
    const before = Date.now();
    process.kill(started.pid, 'SIGTERM');
    const result = await started.ended;
    expect(result).toMatchObject({ code: 137 });
    expect(result.stdout.toString()).toBe('up\nno\n');
    expect(Date.now() - before).toBeGreaterThanOrEqual(1500);
    expect(Date.now() - before).toBeLessThan(5000);
    expect(lastRecord()).toMatchObject({ type: 'run.end', signal: 'SIGKILL' });
  });

  test('gets no more time by more signals, and hears each of them', async () => {
    const script = `trap 'echo no' TERM; trap 'echo int' INT; ${LOOP}`;
    const started = inBash(script);
    await started.says(/^up$/m);
    for (const [signal, heard] of [
      ['SIGTERM', /no\n/],
      ['SIGTERM', /no\nno\n/],
      ['SIGINT', /int\n/],
    ] as const) {
      process.kill(started.pid, signal);
      await started.says(heard);
    }
    const result = await started.ended;
    expect(result).toMatchObject({ code: 137 });
    expect(result.stdout.toString()).toBe('up\nno\nno\nint\n');
  });

  test('lives on after signals that only tell it something', async () => {
    const script = `trap 'echo hup' HUP; trap 'echo one' USR1; exec 8<> <(:); echo up
      for ((i = 0; i < 20; i++)); do read -t 0.05 -u 8; done; exit 0`;
    const result = await signalled(script, 'SIGHUP', 'SIGUSR1');
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout.toString()).toBe('up\nhup\none\n');
  });

  test('that has stopped ends by SIGTERM once somebody continues it, as without gate', async () => {
    const started = inBash('echo up; kill -STOP $$; echo never');
    expect(await within(8000, () => /\) T /.test(stat(started.pid)))).toBe(true);
    process.kill(started.pid, 'SIGTERM');
    // To the group, as a shell does.
    process.kill(-started.pid, 'SIGCONT');
    expect(await started.ended).toMatchObject({ code: 143 });
  });
});

describe('timeout', () => {
  test('ends gate in time, and says so', async () => {
    const before = Date.now();
    expect(await runScript(home, 'timeout -s TERM 1 gate run -- sleep 60')).toMatchObject({ code: 124 });
    expect(Date.now() - before).toBeLessThan(8000);
    expect(lastRecord()).toMatchObject({ type: 'run.end', signal: 'SIGTERM' });
  });

  test('inside the jail ends the command', async () => {
    expect(await runScript(home, 'gate run -- timeout 0.3 sleep 60')).toMatchObject({ code: 124 });
  });
});

// promise: jail.death
test('what the command leaves behind is dead when gate has returned', async () => {
  const mark = `left-${process.pid}-behind`;
  const left = `bash -c 'exec -a ${mark} sleep 300'`;
  const isUp = `[ "$(pgrep -cf '^${mark} 300$')" = 3 ]`;
  const script = `${left} & setsid ${left} & (setsid ${left} & exit); until ${isUp}; do sleep 0.05; done; echo up; exit 6`;
  const started = inBash(script);
  await started.says(/^up$/m);
  expect(await started.ended).toMatchObject({ code: 6 });
  expect(alive(mark)).toBe(0);
});

describe('a signal at any moment of the start', () => {
  // promise: exit.signal
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends gate, and no record without an end stays',
    async (signal) => {
      const whole = await startupMs();
      for (let part = 0; part <= 7; part += 1) {
        const wait = (whole * part) / 6;
        const known = countRuns();
        const started = startGate(home, ['run', '--', 'sleep', '60']);
        await sleep(wait);
        process.kill(started.pid, signal);
        const ended = await Promise.race([started.ended, sleep(5000)]);
        expect(ended, `${signal} after ${wait} ms was lost`).toBeDefined();
        if (countRuns() > known) expect(lastRecord(), `after ${wait} ms`).toMatchObject({ type: 'run.end' });
      }
    },
  );
});

describe('a signal at any moment of the end', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s does not lose the end of the record',
    async (signal) => {
      for (let round = 0; round < 3; round += 1) {
        const started = inBash('echo up; exit 3');
        await started.says(/^up$/m);
        await hail(started, signal);
        expect((await started.ended).stderr).not.toContain('internal error');
        const end = lastRecord();
        expect(end).toMatchObject({ type: 'run.end' });
      }
    },
  );

  test('every run of this file has its end, and the whole is sound', async () => {
    const verdict = await home.gate(['verify', '--json']);
    expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true });
    expect(verdict.exitCode).toBe(0);
  });
});

/** The same signal every few milliseconds until gate is gone. */
async function hail({ child, pid }: Started, signal: NodeJS.Signals): Promise<void> {
  await within(10_000, () => {
    if (child.exitCode !== null || child.signalCode !== null) return true;
    process.kill(pid, signal);
    return false;
  });
}

async function startupMs(): Promise<number> {
  const before = Date.now();
  await home.gate(['run', '--', 'true']);
  return Date.now() - before;
}

function stat(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8');
}

function countRuns(): number {
  const heads = home.at('data/heads.jsonl');
  return readFileSync(heads, 'utf8').split('"type":"opened"').length;
}
