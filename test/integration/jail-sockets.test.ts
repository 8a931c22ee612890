import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, jailMissing, type Rig, type User, users } from '../helpers/jail-rig.ts';
import { skipBecause } from '../helpers/skips.ts';

const missing = jailMissing();

/** Listens on each path until it is killed; a path may begin with `@` (abstract) or `dgram:`. */
const SERVE = `
import os, socket, sys, threading
up = threading.Semaphore(0)
def stream(path):
    s = socket.socket(socket.AF_UNIX); s.bind('\\0' + path[1:] if path[0] == '@' else path); s.listen(5)
    if path[0] != '@': os.chmod(path, 0o666)
    up.release()
    while True:
        c, _ = s.accept(); c.sendall(b'DEPUTY'); c.close()
def datagram(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(path); os.chmod(path, 0o666)
    up.release()
    while True: s.recv(100)
for path in sys.argv[1:]:
    f, p = (datagram, path[6:]) if path.startswith('dgram:') else (stream, path)
    if p[0] != '@': os.makedirs(os.path.dirname(p), exist_ok=True)
    threading.Thread(target=f, args=(p,), daemon=True).start()
for _ in sys.argv[1:]: up.acquire()
print('up', flush=True); threading.Event().wait()
`;

const CONNECT = `
import socket, sys
for path in sys.argv[1:]:
    kind, p = (socket.SOCK_DGRAM, path[6:]) if path.startswith('dgram:') else (socket.SOCK_STREAM, path)
    try:
        s = socket.socket(socket.AF_UNIX, kind); s.settimeout(2)
        s.connect('\\0' + p[1:] if p[0] == '@' else p)
        print(s.recv(9).decode() if kind == socket.SOCK_STREAM else s.send(b'x') and 'DEPUTY')
    except OSError as e: print(e.__class__.__name__)
`;

/** Servers and clients of the command itself, in every form that programs use. */
const OWN = `
import os, socket
S, Q = socket.SOCK_STREAM, socket.SOCK_SEQPACKET
here, folder = os.getcwd(), 'long/' + 'x' * 90
os.makedirs(folder); os.symlink('s', 'one'); os.symlink(here + '/one', 'two'); held = os.open('.', os.O_RDONLY)
def meet(kind, bound, name):
    s = socket.socket(socket.AF_UNIX, kind); s.bind(bound); s.listen()
    c = socket.socket(socket.AF_UNIX, kind); c.connect(name); c.send(b'x')
    a = s.accept()[0]; peer = a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    assert a.recv(2) == b'x' and int.from_bytes(peer[4:8], 'little') == os.geteuid(), name
    if bound[0] != '\\0': os.unlink(bound)
meet(S, 's', 's'); meet(Q, 's', 's'); meet(S, '\\0gate', '\\0gate'); meet(Q, '\\0gate', '\\0gate')
meet(S, here + '/s', here + '/s'); meet(S, 's', 'two'); meet(S, folder + '/s', folder + '/s')
for name in ('/proc/self/fd/%d/s' % held, '/dev/fd/%d/s' % held, '/proc/self/cwd/s', '/proc/self/root' + here + '/s'):
    meet(S, 's', name)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.send(b'one'); a.send(b'two')
assert (b.recv(9), b.recv(9)) == (b'one', b'two')
if os.fork() == 0:
    os.chdir('long'); meet(S, '../s', '../s'); os._exit(0)
assert os.wait()[1] == 0
print('fine')
`;

/** Waits until it is told that somebody outside listens there, and tries it in vain. */
const LATE = `
import os, socket, sys, time
print('up', flush=True)
while not os.path.exists(sys.argv[1] + '.up'): time.sleep(0.02)
try: print(socket.socket(socket.AF_UNIX).connect(sys.argv[1]))
except OSError as e: print(e.__class__.__name__)
`;

describe('control sockets', skipBecause(missing), () => {
  let rig: Rig;
  const servers: ChildProcess[] = [];
  beforeAll(async () => {
    rig = await createRig();
  }, 120_000);
  afterAll(() => {
    for (const server of servers) server.kill('SIGKILL');
    rig?.remove();
  });

  async function serve(user: User, paths: readonly string[]): Promise<void> {
    const ids = user.uid === process.getuid?.() ? {} : { uid: user.uid, gid: user.uid };
    const server = spawn('python3', ['-c', SERVE, ...paths], {
      ...ids,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    servers.push(server);
    if (server.stdout) await once(server.stdout, 'data');
  }

  const connect = (paths: readonly string[]) => ['python3', '-c', CONNECT, ...paths];

  describe.each(users())('as $name', (user) => {
    // promise: jail.sockets
    it('masks every listening socket, wherever it is bound', async () => {
      const home = rig.home(user);
      const id = `${process.pid}-${user.name}`;
      const paths = [
        join(home, 'agent.sock'), // beside the person's files
        join(home, 'sockets/only.sock'), // in a folder of its own
        join(home, 'work/.git/fsmonitor.ipc'), // in the repository
        `/tmp/ssh-${id}/agent.1`,
        `/tmp/lone-${id}.sock`,
        `dgram:${join(home, 'log')}`,
        `@gate-abstract-${id}`,
        `/tmp/tmux-${user.uid}/gate-${id}`,
      ];
      await serve(user, paths);
      const outside = await rig.outside(user, connect(paths));
      expect(outside.stdout).toBe('DEPUTY\n'.repeat(paths.length));
      const inside = await rig.jailed(user, connect(paths), { cwd: home });
      expect(inside.stdout).not.toContain('DEPUTY');
      expect(inside.stdout.trim().split('\n')).toHaveLength(paths.length);
      const nested = await rig.jailed(user, ['unshare', '-Urm', ...connect(paths)], { cwd: home });
      expect(nested.stdout).not.toContain('DEPUTY');
    });

    it('finds what the environment names and other network namespaces bound', async () => {
      const home = rig.home(user);
      const path = join(home, '.docker/run/docker.sock');
      const ids = user.uid === process.getuid?.() ? {} : { uid: user.uid, gid: user.uid };
      const server = spawn('unshare', ['-Urn', 'python3', '-c', SERVE, path], {
        ...ids,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      servers.push(server);
      if (server.stdout) await once(server.stdout, 'data');
      expect((await rig.outside(user, connect([path]))).stdout).toBe('DEPUTY\n');
      const env = { PATH: process.env['PATH'] ?? '', HOME: home };
      const known = await rig.jailed(user, connect([path]), { env });
      expect(known.stdout).not.toContain('DEPUTY');
      const named = await rig.jailed(user, connect([path]), {
        env: { ...env, HOME: '/', DOCKER_HOST: `unix://${path}` },
      });
      expect(named.stdout).not.toContain('DEPUTY');
    });

    // promise: run.allow-socket
    it('leaves a socket reachable that was allowed, and only that', async () => {
      const home = rig.home(user);
      const paths = ['one', 'two'].map((name) => join(home, 'sockets', name));
      await serve(user, paths);
      const inside = await rig.jailed(user, connect(paths), { allowSockets: [paths[1] ?? ''] });
      expect(inside.stdout).toMatch(/^\w+Error\nDEPUTY\n$/);
    });

    it.each([
      ['', []],
      [' in namespaces of its own', ['unshare', '-Urmn']],
    ])('lets the command have sockets of its own%s', async (_where, space) => {
      const home = rig.home(user);
      const inside = await rig.jailed(user, [...space, 'python3', '-c', OWN], { cwd: home });
      expect(inside).toMatchObject({ stdout: 'fine\n', refused: [] });
    });

    it('refuses a socket that is made while the command runs, and tells of it', async () => {
      const path = join(rig.home(user), 'late.sock');
      const running = rig.startJailed(user, ['python3', '-c', LATE, path]);
      if (running.child.stdout) await once(running.child.stdout, 'data');
      await serve(user, [path]);
      writeFileSync(`${path}.up`, '');
      const inside = await running.outcome;
      expect(inside.stdout).toBe('up\nConnectionRefusedError\n');
      expect(inside.refused).toEqual([{ proto: 'unix', address: path, count: 1 }]);
    });

    it('does not start with a datagram socket as its input', async () => {
      const open =
        'import os,socket,sys;a,b=socket.socketpair(1,2);os.dup2(a.fileno(),0);os.execvp(sys.argv[1],sys.argv[1:])';
      const inside = await rig.outside(user, ['python3', '-c', open, ...rig.command(['true'])]);
      expect(inside.code).toBe(125);
      expect(inside.stderr).toContain('datagram socket');
    });

    it('shows no socket below /run', async () => {
      const inside = await rig.jailed(user, ['find', '/run', '/dev', '-type', 's']);
      expect(inside.stdout).toBe('');
    });

    it('shares no memory and no message queue', async () => {
      const make =
        'ipcmk -M 64 | grep -o "[0-9]*$"; ipcs -m | grep -c ^0x; echo x >/dev/shm/gate-$$ && echo /dev/shm/gate-$$';
      const outside = await rig.outside(user, ['sh', '-c', make]);
      const [id = '', count = '0', file = ''] = outside.stdout.trim().split('\n');
      expect(Number(count)).toBeGreaterThan(0);
      const inside = await rig.jailed(user, ['sh', '-c', `ipcs -m | grep -c ^0x; cat ${file}`]);
      expect(inside.stdout).toBe('0\n');
      await rig.outside(user, ['sh', '-c', `rm ${file}; ipcrm -m ${id}`]);
    });
  });

  const asRoot = process.getuid?.() !== 0 && 'only root can write in /run';
  it('keeps a socket hidden in /run when its daemon restarts', skipBecause(asRoot), async () => {
    const path = `/run/gate-test-${process.pid}.sock`;
    const root = { name: 'root', uid: 0 };
    await serve(root, [path]);
    expect((await rig.outside(root, connect([path]))).stdout).toBe('DEPUTY\n');
    const wait = `echo ready; read -t 10 < <(sleep 1.5); exec "$@"`;
    const running = rig.startJailed(root, ['bash', '-c', wait, 'bash', ...connect([path])]);
    if (running.child.stdout) await once(running.child.stdout, 'data');
    await rig.outside(root, ['rm', path]);
    await serve(root, [path]);
    const inside = await running.outcome;
    await rig.outside(root, ['rm', '-f', path]);
    expect(inside.stdout).toBe('ready\nFileNotFoundError\n');
  });
});
