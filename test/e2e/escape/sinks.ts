/** The test's own targets, in a process of their own, so that they can live in another namespace. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { PROGRAMS, PYTHON } from './places.ts';

export interface Target {
  readonly name: string;
  readonly kind: 'tcp' | 'tls' | 'udp' | 'dns' | 'unix' | 'unixdgram' | 'unixseq';
  readonly address?: string;
  readonly port?: number;
  /** A path, or `@name` for the abstract namespace. */
  readonly path?: string;
  /** Take the place of a socket that is there, as a daemon does that starts anew. */
  readonly replace?: true;
}

export interface Hit {
  readonly target: string;
  readonly data: string;
}

export interface SinkOptions {
  readonly token: string;
  readonly listen: readonly Target[];
  /** Command line that the sinks are started behind: `unshare --net`, a wrapper that mounts. */
  readonly behind?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Owner of the sockets that have a path. */
  readonly owner?: readonly [uid: number, gid: number];
  /** Names that the DNS sink knows, each with answers given in turn. */
  readonly zone?: Readonly<Record<string, readonly string[]>>;
  /** Called for each touch: a connection (with empty data), and what it sent. */
  readonly touched: (hit: Hit) => void;
  /** Called when the process runs, before anything listens. */
  readonly prepare?: (pid: number) => Promise<void> | void;
}

export interface Sinks {
  readonly pid: number;
  readonly targets: readonly Target[];
  /** Resolves when everything that touched a target so far has been told. */
  settled(): Promise<void>;
  stop(): void;
}

/** Fresh for each scene: an answer that only our sinks can give. */
export function newToken(): string {
  return `tok${randomBytes(9).toString('hex')}`;
}

type Line = { ready?: Target[]; hit?: Hit; sync?: string };

/** Starts the sinks and resolves when all of them listen. */
export async function startSinks(options: SinkOptions): Promise<Sinks> {
  const argv = [...(options.behind ?? []), PYTHON, `${PROGRAMS}/sinkd.py`];
  const child = spawn(argv[0] ?? PYTHON, argv.slice(1), { stdio: 'pipe' });
  const waiting = new Map<string, () => void>();
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  child.stdin.on('error', () => undefined);
  const targets = await new Promise<Target[]>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      if (line.hit) options.touched(line.hit);
      if (line.ready) resolve(line.ready);
      if (line.sync !== undefined) waiting.get(line.sync)?.();
    });
    child.once('exit', (code) => reject(new Error(`sinks ended with ${code}: ${complaint.slice(-1500)}`)));
    begin(child, options).catch(reject);
  });
  let asked = 0;
  return {
    pid: child.pid ?? 0,
    targets,
    settled: async () => {
      const ticket = String(++asked);
      await new Promise<void>((resolve) => {
        waiting.set(ticket, resolve);
        child.stdin.write(`${ticket}\n`);
      });
    },
    stop: () => child.kill('SIGKILL'),
  };
}

async function begin(child: ChildProcessWithoutNullStreams, options: SinkOptions): Promise<void> {
  await options.prepare?.(child.pid ?? 0);
  const { token, listen, tls, owner, zone } = options;
  child.stdin.write(`${JSON.stringify({ token, listen, tls, owner, zone })}\n`);
}
