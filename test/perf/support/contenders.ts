import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../helpers/free-port.ts';
import { buildGate } from './build-gate.ts';
import { type Listening, startBuilt, startOwn } from './processes.ts';

/** What is compared. */
export type ContenderName = 'direct' | 'gate' | 'mitmdump' | 'http-mitm-proxy' | 'mockttp';

export interface Contender {
  readonly name: ContenderName;
  /** Absent: no proxy at all. */
  readonly process: Listening | undefined;
}

export interface Scene {
  /** A folder of the benchmark's own. */
  readonly home: string;
  /** PEM file of the CA that signed the origin's certificate. */
  readonly ca: string;
  readonly originPort: number;
  /** For gate's process, to profile it. */
  readonly gateFlags: readonly string[];
}

const STARTS: Readonly<Record<ContenderName, (scene: Scene) => Promise<Listening | undefined>>> = {
  direct: async () => undefined,
  gate: startGate,
  mitmdump: startMitmdump,
  'http-mitm-proxy': (scene) => startOwn('http-mitm-proxy', argsOf(scene, 'http-mitm-proxy')),
  mockttp: (scene) => startOwn('mockttp', argsOf(scene, 'mockttp')),
};

/** Starts those that can be had here; says on stderr which cannot, and why. */
export async function startContenders(names: readonly ContenderName[], scene: Scene): Promise<Contender[]> {
  const started: Contender[] = [];
  for (const name of names) {
    try {
      started.push({ name, process: await STARTS[name](scene) });
    } catch (error) {
      process.stderr.write(`skipped ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return started;
}

function argsOf({ home, ca, originPort }: Scene, name: string): string[] {
  const own = join(home, name);
  mkdirSync(own, { recursive: true });
  return [own, ca, String(originPort)];
}

/** As it is shipped: bundled, without a loader between its modules. */
async function startGate(scene: Scene): Promise<Listening> {
  const built = await buildGate();
  const { child, port } = await startBuilt(built.file, argsOf(scene, 'gate'), scene.gateFlags);
  child.once('exit', built.remove);
  return { child, port };
}

async function startMitmdump(scene: Scene): Promise<Listening> {
  const { error, status } = spawnSync('mitmdump', ['--version']);
  if (error !== undefined || status !== 0) throw new Error('there is no mitmdump: apt-get install mitmproxy');
  const [own = '', ca = ''] = argsOf(scene, 'mitmdump');
  const port = await freePort();
  const options = { confdir: own, ssl_verify_upstream_trusted_ca: ca, flow_detail: '0' };
  const set = Object.entries(options).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const addon = join(import.meta.dirname, 'mitmdump-addon.py');
  const child = spawn(
    'mitmdump',
    ['-q', '--listen-host', '127.0.0.1', '-p', String(port), '-s', addon, ...set],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: own, BENCH_ORIGIN_PORT: String(scene.originPort) },
    },
  );
  await listening(port, child);
  return { child, port };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('mitmdump does not listen');
}
