/** Real deputies, and daemons that start anew while the jail stands: a mask on a file would be gone by then. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { compile } from './compile.ts';
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

/** A daemon's socket, and by what words of programs/unix.py it is tried. */
interface Late extends Target {
  readonly how?: readonly string[];
}

function beside(name: string, how: readonly string[], kind: Target['kind'] = 'unix'): Late {
  return { name, kind, how, path: `{home}/repo/${name.replaceAll(' ', '-')}.sock` };
}

/** Beside files of the user, where no cover can take the whole folder's place, and in every way one can think of. */
const BESIDE: readonly Late[] = [
  { name: 'a ControlMaster', kind: 'unix', path: '{home}/.ssh/cm.sock' },
  beside('a server of the repository', ['stream']),
  beside('packets', ['seqpacket'], 'unixseq'),
  beside('a relative path', ['relative']),
  beside('a chain of links', ['chain']),
  beside('a hard link', ['link', 'hard']),
  beside('the file moved over an own one', ['moved']),
  beside('the root of proc', ['through_self', 'root']),
  beside('its folder held', ['held', 'folder']),
  beside('itself held', ['held', 'file']),
  beside('namespaces of its own', ['nested']),
  beside('wide arguments', ['wide']),
  beside('datagrams by sendto', ['datagram', 'sendto'], 'unixdgram'),
  beside('datagrams by connect', ['datagram', 'connect'], 'unixdgram'),
  beside('a socketpair aimed anew', ['datagram', 'socketpair'], 'unixdgram'),
  beside('an exchanged address', ['race', '{race}', 'address']),
  beside('an exchanged descriptor', ['race', '{race}', 'descriptor']),
];

/** How an attempt fails that was really made. */
const HELD = /^(E(NOENT|CONNREFUSED|SOCKTNOSUPPORT)|never reached)$/;

/** There when the jail starts; the others come later, where such a daemon's socket is expected. */
const EARLY = ['docker', 'rootless docker', 'docker desktop'];

function usable(targets: readonly Target[]): readonly Target[] {
  return targets.filter((target) => isRoot() || !target.path?.startsWith('/run'));
}

function filled(scene: Scene, { how: _, path: given = '', ...target }: Late): Target {
  const path = given.replace(/\{(\w+)\}/g, (_whole, name: string) => scene.facts[name] ?? '');
  return { ...target, path, replace: true };
}

/** Starts the attempts, lets every daemon start anew while they wait, and tells what each of them found. */
async function meet(
  scene: Scene,
  side: 'outside' | 'inside',
  targets: readonly Late[],
): Promise<readonly string[]> {
  const folder = scene.folder('home', side);
  const probes = targets.map((target): Probe => {
    const { path = '' } = filled(scene, target);
    const words = py('unix', 'late', path, folder, ...(target.how ?? []));
    return { name: target.name, class: 'deputies', ...both(words), expect: /./ };
  });
  const running = runSide(scene, side, probes, { parallel: probes.length, patience: 60 });
  const ready = () => targets.filter((t) => existsSync(join(folder, `ready-${t.name.replaceAll(' ', '-')}`)));
  for (let i = 0; i < 600 && ready().length < targets.length; i++) await sleep(50);
  // What is not yet there when the daemons come meets what was there before.
  expect(ready().map(({ name }) => name)).toEqual(targets.map(({ name }) => name));
  const { uid, gid, prefix } = scene.identity;
  const fresh = await startSinks({
    token: scene.token,
    owner: [uid, gid],
    listen: targets.map((target) => filled(scene, target)),
    behind: scene.prefix.slice(0, scene.prefix.length - prefix.length),
    touched: () => undefined,
  });
  writeFileSync(join(folder, 'go'), '');
  const { attempts } = await running;
  fresh.stop();
  return targets.map(({ name }) => {
    const seen = attempts.get(name);
    const said = seen === undefined ? undefined : verdictOf(seen);
    if (said?.word === 'refused' && !HELD.test(said.how)) return `${name}: ${said.how}`;
    return `${name}: ${said?.started ? said.word : 'did not run'}`;
  });
}

describe.each(identities())('daemons that start anew, as $name', (identity) => {
  for (const [where, targets] of [
    ['where such daemons have their sockets', usable(LATE)],
    ['beside other files', BESIDE],
  ] as const) {
    it(`cannot be reached ${where}`, async () => {
      const sockets = targets.filter(({ name }) => EARLY.includes(name) || targets === BESIDE);
      const scene = await createScene(identity, { staged: true, sockets });
      compile(scene, 'race');
      try {
        for (const { path = '' } of BESIDE.map((target) => filled(scene, target))) {
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(join(dirname(path), 'a-file-of-the-user'), 'text');
        }
        const names = targets.map(({ name }) => name);
        expect(await meet(scene, 'outside', targets)).toEqual(names.map((name) => `${name}: escaped`));
        expect(await meet(scene, 'inside', targets)).toEqual(names.map((name) => `${name}: refused`));
      } finally {
        scene.dispose();
      }
    });
  }
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
    { env = {}, wanted = '' } = {},
  ): Promise<void> => {
    if (which(tool) === undefined) context.skip(`${tool} is not installed`);
    const probe = [PYTHON, `${PROGRAMS}/tool.py`, wanted, '--', tool, ...argv];
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
      await refused(context, 'ssh-add', ['-l'], { env: { SSH_AUTH_SOCK: socket } });
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(agent.stdout)?.[1]), 'SIGTERM');
    }
  });

  it('gpg-agent does not answer', async (context) => {
    if (which('gpg-connect-agent') === undefined) context.skip('gpg-agent is not installed');
    scene.folder('home', '.gnupg');
    await runIn(scene, ['gpg-connect-agent', '/bye']);
    await refused(context, 'gpg-connect-agent', ['--no-autostart', 'GETINFO pid', '/bye'], {
      wanted: 'D ',
    });
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
