/** Real deputies, and daemons that start anew while the jail stands: a mask on a file would be gone by then. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { gateRun, runIn, runSide } from './harness.ts';
import { identities, isRoot } from './identity.ts';
import { PROGRAMS, PYTHON, which } from './places.ts';
import { both, type Probe, py, verdictOf } from './probe.ts';
import { createScene, type Scene } from './scene.ts';
import { startSinks, type Target } from './sinks.ts';

const LATE: readonly Target[] = [
  { name: 'docker', kind: 'unix', path: '/run/docker.sock' },
  { name: 'a new bus', kind: 'unix', path: '/run/dbus/system_bus_socket' },
  { name: 'rootless docker', kind: 'unix', path: '{runtime}/docker.sock' },
  { name: 'a new session bus', kind: 'unix', path: '{runtime}/bus' },
  { name: 'a new tmux', kind: 'unix', path: '{runtime}/tmux-{uid}/late' },
  { name: 'docker desktop', kind: 'unix', path: '{home}/.docker/run/docker.sock' },
];

/** There when the jail starts; the others come later, where such a daemon's socket is expected. */
const EARLY = ['docker', 'rootless docker', 'docker desktop'];

function filled(scene: Scene, target: Target): Target {
  const path = (target.path ?? '').replace(/\{(\w+)\}/g, (_, name: string) => scene.facts[name] ?? '');
  return { ...target, path, replace: true };
}

describe.each(identities())('daemons that start anew, as $name', (identity) => {
  const usable = LATE.filter((target) => isRoot() || !target.path?.startsWith('/run'));
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity, {
      staged: true,
      sockets: usable.filter((target) => EARLY.includes(target.name)),
    });
  });
  afterAll(() => scene?.dispose());

  const attempt = async (side: 'outside' | 'inside') => {
    const folder = scene.folder('home', side);
    const probes = usable.map((target): Probe => {
      const { path = '' } = filled(scene, target);
      return { name: target.name, class: 'deputies', ...both(py('unix', 'late', path, folder)), expect: /./ };
    });
    const running = runSide(scene, side, probes, { parallel: probes.length });
    const ready = () =>
      usable.filter((t) => existsSync(join(folder, `ready-${t.name.replaceAll(' ', '-')}`)));
    for (let i = 0; i < 80 && ready().length < usable.length; i++) await sleep(50);
    const { length } = identity.prefix;
    const fresh = await startSinks({
      token: scene.token,
      owner: [identity.uid, identity.gid],
      listen: usable.map((target) => filled(scene, target)),
      behind: scene.prefix.slice(0, scene.prefix.length - length),
      touched: () => undefined,
    });
    writeFileSync(join(folder, 'go'), '');
    const result = await running;
    fresh.stop();
    return result.attempts;
  };

  it('none of them can be reached', async () => {
    const bare = await attempt('outside');
    for (const { name } of usable) {
      const seen = bare.get(name);
      expect(seen && verdictOf(seen), name).toMatchObject({ started: true, word: 'escaped' });
    }
    const jailed = await attempt('inside');
    const words = usable.map(({ name }) => {
      const seen = jailed.get(name);
      return `${name}: ${seen === undefined ? 'did not run' : verdictOf(seen).word}`;
    });
    expect(words).toEqual(usable.map(({ name }) => `${name}: refused`));
  });
});

describe.each(identities())('real deputies, as $name', (identity) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(identity);
  });
  afterAll(async () => {
    await runIn(scene, ['tmux', '-L', 'escape', 'kill-server']);
    await runIn(scene, ['gpgconf', '--kill', 'gpg-agent']);
    scene.dispose();
  });

  /** A tool that works outside, and fails inside after it has really run. */
  const refused = async (
    context: TestContext,
    tool: string,
    argv: readonly string[],
    env = {},
  ): Promise<void> => {
    if (which(tool) === undefined) context.skip(`${tool} is not installed`);
    const probe = [PYTHON, `${PROGRAMS}/tool.py`, '', '--', tool, ...argv];
    const bare = await runIn(scene, probe, { env });
    expect(bare.stdout, bare.stderr).toContain('PROBE escaped');
    const jailed = await runIn(scene, gateRun([], probe), { env });
    expect(jailed.stdout, jailed.stderr).toMatch(/PROBE start[\s\S]*PROBE refused/);
  };

  it('tmux does not run a command outside', async (context) => {
    if (which('tmux') === undefined) context.skip('tmux is not installed');
    await runIn(scene, ['tmux', '-L', 'escape', 'new-session', '-d', 'sleep 100']);
    const mark = join(scene.home, 'tmux-mark');
    const command = ['-L', 'escape', 'run-shell', `echo out >> ${mark}`];
    await refused(context, 'tmux', command);
    expect(readFileSync(mark, 'utf8'), 'only the one outside came through').toBe('out\n');
  });

  it('ssh-agent does not sign', async (context) => {
    if (which('ssh-agent') === undefined) context.skip('ssh-agent is not installed');
    const socket = join(scene.home, 'agent.sock');
    const agent = await runIn(scene, ['ssh-agent', '-a', socket]);
    const key = join(scene.home, 'id');
    await runIn(scene, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    await runIn(scene, ['ssh-add', key], { env: { SSH_AUTH_SOCK: socket } });
    try {
      await refused(context, 'ssh-add', ['-l'], { SSH_AUTH_SOCK: socket });
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent.stdout)?.[1]), 'SIGTERM');
    }
  });

  it('gpg-agent does not answer', async (context) => {
    if (which('gpg-connect-agent') === undefined) context.skip('gpg-agent is not installed');
    scene.folder('home', '.gnupg');
    await runIn(scene, ['gpg-connect-agent', '/bye']);
    await refused(context, 'gpg-connect-agent', ['--no-autostart', 'GETINFO pid', '/bye']);
  });

  it('a port opened inside is not a port of the machine', async () => {
    const reach = async (argv: readonly string[]): Promise<string> => {
      const file = join(scene.home, 'port');
      rmSync(file, { force: true });
      const running = runIn(scene, argv, { env: { PROBE_TOKEN: scene.token } });
      for (let i = 0; i < 100 && !existsSync(file); i++) await sleep(50);
      const port = Number(readFileSync(file, 'utf8'));
      const said = await new Promise<string>((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', timeout: 2000 });
        socket.once('data', (data) => resolve(data.toString()));
        socket.once('error', (error) => resolve(error.message));
        socket.once('timeout', () => resolve('timeout'));
      });
      await running;
      return said;
    };
    const serve = [PYTHON, `${PROGRAMS}/net.py`, 'serve', 'x', scene.home];
    expect(await reach(serve)).toBe(scene.token);
    expect(await reach(gateRun([], serve))).toContain('ECONNREFUSED');
  });
});
