import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestAuthority } from './certs.ts';
import { connectClient } from './client.ts';
import { type Pinned, type Rig, type RigOptions, throughConnect } from './client-rig.ts';
import { type MemoryRecorder, until } from './memory-recorder.ts';
import { gateOnly, notes, recordAsked } from './other-proxy.ts';

/** What the process of the other proxy is told; its first line on IPC is its port. */
export interface OtherOrders {
  /** Where the proxy finds its CA and keeps its leaves. */
  readonly home: string;
  /** PEM; trusted upstream. */
  readonly originCa: string;
  /** The only names that lead anywhere. */
  readonly routes: readonly Pinned[];
  /** `host:port`, to be tunnelled unread. */
  readonly passthrough: readonly string[];
}

const PROGRAM = join(import.meta.dirname, '../perf/support/processes/http-mitm-proxy-probed.ts');
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Gives the other proxy the CA that the suite's clients trust, in the files where http-mitm-proxy looks for its own. */
export function installAuthority(home: string, { ca, caKey }: TestAuthority): void {
  for (const folder of ['certs', 'keys']) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, 'certs/ca.pem'), ca);
  writeFileSync(join(home, 'keys/ca.private.key'), caKey, { mode: 0o600 });
  writeFileSync(
    join(home, 'keys/ca.public.key'),
    createPublicKey(caKey).export({ type: 'spki', format: 'pem' }),
  );
}

/**
 * http-mitm-proxy where a suite expects gate, in a process of its own for each rig. What the tests' rig configures and a
 * user of it could configure too, is; where a test turns to what only gate has, it ends.
 */
export function createOtherRig(options: RigOptions, home: string): Rig {
  for (const each of ['about', 'deny', 'policy', 'limits', 'proxyEnv', 'resolveName'] as const) {
    if (options[each] !== undefined) gateOnly(each === 'about' ? (options.about ?? '') : WORDS[each]);
  }
  const orders: OtherOrders = {
    home,
    originCa: options.originCa?.ca ?? '',
    routes: options.resolve ?? [],
    passthrough: options.passthrough ?? [],
  };
  let started: Promise<Running> | undefined;
  const port = async (): Promise<number> => {
    started ??= start(orders);
    return (await started).port;
  };
  const rig: Rig = {
    get engine(): never {
      return gateOnly('a way to be stopped in the middle');
    },
    recorder: absentRecorder(),
    bugs: [],
    get policyCandidates(): never {
      return gateOnly(WORDS.policy);
    },
    set policyCandidates(_candidates) {
      gateOnly(WORDS.policy);
    },
    captured: async (address, to) => {
      const { seen } = notes();
      const tunnel = await throughConnect(await rig.proxy(), options.names?.[address] ?? address, to);
      notes().seen = seen;
      return tunnel;
    },
    proxy: async () => connectClient(await port()),
    proxyPort: port,
    gateOnly: async () => {
      notes().leftOut = 'its record or its words';
    },
    capturedPort: () => gateOnly('ports that are captured'),
    stop: async () => {
      if (started !== undefined) await stop(await started);
    },
  };
  return rig;
}

const WORDS = {
  deny: 'its policy',
  policy: 'its policy',
  limits: 'its limits',
  proxyEnv: 'its way through corporate proxies',
  resolveName: 'its resolver',
} as const;

/** Waiting works; looking into the record ends the test, and so does holding it back or making it fail. */
function absentRecorder(): MemoryRecorder {
  return new Proxy({} as MemoryRecorder, {
    get: (_target, key) => (key === 'until' ? until : recordAsked()),
    set: () => gateOnly('its record, held or failing'),
  });
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  said(): string;
}

async function start(orders: OtherOrders): Promise<Running> {
  const child = fork(PROGRAM, [JSON.stringify(orders)], {
    // Node's own limit for heads is 16 kB.
    execArgv: ['--import', TSX, '--max-http-header-size=65536'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port));
    child.once('exit', () => reject(new Error(`the other proxy did not start: ${said}`)));
  });
  return { child, port, said: () => said };
}

/** Ends the process; where it had ended by itself, or does while it is asked, the test is told. */
async function stop({ child, said }: Running): Promise<void> {
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    child.once('exit', (status) => resolve(status));
    if (child.connected) child.send('stop');
  });
  if (code === 0) return;
  const why = /^(?:\w*Error\b.*|.*\bERR_\w+.*)$/m.exec(said())?.[0] ?? `exit ${code}`;
  notes().died = why;
  throw new Error(`the proxy's process ended by itself: ${why}`);
}
