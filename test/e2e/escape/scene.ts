/** A scene: who runs, with which home, gate home, targets and facts. Fresh for every group of probes. */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, isRoot } from './identity.ts';
import { MACHINE, PROGRAMS, PYTHON, SEARCH, which } from './places.ts';
import { type Hit, newToken, type Sinks, startSinks, type Target } from './sinks.ts';
import { among, privateRun, startFar } from './stage.ts';

export interface SceneOptions {
  /** Sockets of deputies to put up; `{home}`, `{runtime}` and `{uid}` may stand in their paths. */
  readonly sockets?: readonly Target[];
  /** The veth network, the private /run and the name server: where root runs the tests, and only if asked. */
  readonly staged?: boolean;
  readonly zone?: Readonly<Record<string, readonly string[]>>;
  /** Where gate keeps its things: `$GATE_HOME`, or the usual folders below the home. */
  readonly layout?: 'gate-home' | 'xdg';
}

export interface Scene {
  readonly identity: Identity;
  readonly dir: string;
  readonly home: string;
  /** gate's folders, as CONTRACT names them. */
  readonly config: string;
  readonly data: string;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
  readonly facts: Record<string, string>;
  /** Put before every command, outside and inside: namespaces of the scene, then the user. */
  readonly prefix: readonly string[];
  /** Pid of a process of the same user that must outlive every probe inside. */
  readonly canary: { readonly pid: number; readonly marker: string; alive(): boolean };
  hits(): Promise<readonly Hit[]>;
  /** Makes a folder that belongs to the scene's user. */
  folder(...parts: readonly string[]): string;
  dispose(): void;
}

const INET: readonly Target[] = [
  { name: 'tcp4', kind: 'tcp', address: '127.0.0.1' },
  { name: 'any', kind: 'tcp', address: '0.0.0.0' },
  { name: 'tcp6', kind: 'tcp', address: '::1' },
  { name: 'udp4', kind: 'udp', address: '127.0.0.1' },
  { name: 'tls4', kind: 'tls', address: '127.0.0.1' },
  { name: 'good', kind: 'tls', address: '127.0.0.1' },
  { name: 'goodPlain', kind: 'tcp', address: '127.0.0.1' },
];

function machineTargets(): readonly Target[] {
  const of = (address: string | undefined, version: 4 | 6): readonly Target[] =>
    address === undefined
      ? []
      : [
          { name: `machine${version}`, kind: 'tcp', address },
          { name: `machineTls${version}`, kind: 'tls', address },
          { name: `machineUdp${version}`, kind: 'udp', address },
        ];
  return [...of(MACHINE.v4, 4), ...of(MACHINE.v6, 6)];
}

/** A certificate for every name that the probes use; made by openssl, because no library of ours should be judge. */
function certificate(dir: string): { cert: string; key: string } {
  const made = { cert: join(dir, 'sink.pem'), key: join(dir, 'sink.key') };
  const names = 'subjectAltName=DNS:*.test,DNS:allowed.test,IP:127.0.0.1';
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=sink';
  execFileSync('openssl', [...request.split(' '), '-addext', names, '-keyout', made.key, '-out', made.cert], {
    stdio: 'pipe',
  });
  return made;
}

function startCanary(prefix: readonly string[]): Scene['canary'] {
  const marker = `canary-${newToken()}`;
  // argv[0] is the marker, so that whoever can list processes finds it there and nowhere else.
  const code = `import os;os.execv('${which('sleep')}',['${marker}','300'])`;
  const argv = [...prefix, PYTHON, '-c', code];
  const child = spawn(argv[0] ?? PYTHON, argv.slice(1), { stdio: 'ignore' });
  return {
    pid: child.pid ?? 0,
    marker,
    alive: () => child.exitCode === null && child.signalCode === null,
  };
}

/** Builds a scene for one user. */
export async function createScene(identity: Identity, options: SceneOptions = {}): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'gate-escape-'));
  chownSync(dir, identity.uid, identity.gid);
  const folder = (...parts: readonly string[]): string => {
    let path = dir;
    for (const part of parts) {
      path = join(path, part);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chownSync(path, identity.uid, identity.gid);
    }
    return path;
  };
  const home = folder('home');
  const xdg = options.layout === 'xdg';
  const config = xdg ? folder('home', '.config', 'gate') : folder('gatehome', 'config');
  const data = xdg ? folder('home', '.local', 'share', 'gate') : folder('gatehome', 'data');
  const staged = options.staged === true && isRoot();
  const runtime = staged ? `/run/user/${identity.uid}` : folder('runtime');
  const token = newToken();
  const tls = certificate(dir);
  const facts: Record<string, string> = {
    dir,
    home,
    config,
    data,
    runtime,
    token,
    uid: String(identity.uid),
  };
  Object.assign(facts, { python: PYTHON, programs: PROGRAMS, cert: tls.cert, mark: token.slice(3, 9) });
  const hits: Hit[] = [];
  const touched = (hit: Hit) => hits.push(hit);
  const far = staged ? await startFar({ token, tls, touched, zone: options.zone ?? {} }) : undefined;
  const near = await startSinks({
    token,
    touched,
    tls,
    owner: [identity.uid, identity.gid],
    listen: [...INET, ...machineTargets(), ...(options.sockets ?? []).map((t) => placed(t, facts))],
    behind: far ? privateRun(dir, identity, far.address) : [],
  });
  const sinks: readonly Sinks[] = far ? [near, far] : [near];
  for (const { name, address, port, path } of sinks.flatMap((one) => one.targets)) {
    facts[`${name}.port`] = String(port);
    facts[`${name}.address`] = address ?? '';
    facts[`${name}.path`] = path ?? '';
  }
  const prefix = [...(far ? among(near.pid) : ownMounts()), ...identity.prefix];
  const canary = startCanary(prefix);
  Object.assign(facts, { canary: String(canary.pid), marker: canary.marker });
  return {
    identity,
    dir,
    home,
    config,
    data,
    token,
    facts,
    prefix,
    canary,
    folder,
    env: environment(home, runtime, xdg ? {} : { GATE_HOME: join(dir, 'gatehome') }),
    hits: async () => {
      await Promise.all(sinks.map((one) => one.settled()));
      return [...hits];
    },
    dispose: () => {
      for (const one of sinks) one.stop();
      if (canary.alive()) process.kill(canary.pid, 'SIGKILL');
      // Never into a mount: what a probe left there could be the machine's own.
      execFileSync('rm', ['-rf', '--one-file-system', dir]);
    },
  };
}

/**
 * Root's probes mount and unmount. A jail that fails must not let them loose on the machine, so that as root
 * nothing at all is run among the machine's own mounts.
 */
function ownMounts(): readonly string[] {
  return isRoot() ? ['unshare', '--mount', '--propagation', 'private', '--'] : [];
}

function placed(target: Target, facts: Readonly<Record<string, string>>): Target {
  const path = target.path?.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] ?? '');
  return path === undefined ? target : { ...target, path };
}

function environment(home: string, runtime: string, more: Record<string, string>): Record<string, string> {
  return {
    PATH: SEARCH.join(':'),
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    TMUX_TMPDIR: runtime,
    GNUPGHOME: join(home, '.gnupg'),
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    // The checkout may be read-only for the user, and is not the probes' to write to.
    PYTHONDONTWRITEBYTECODE: '1',
    ...more,
  };
}
