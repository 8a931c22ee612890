import { type ChildProcess, spawn } from 'node:child_process';
import { GATE, type TestHome } from './product.ts';

/** An event as the reading commands print it; tests look at the fields they know. */
export interface AnyEvent {
  readonly id: string;
  readonly kind: string;
  readonly url?: string;
  readonly flags: readonly { readonly code: string; readonly dismissed: boolean }[];
  readonly [field: string]: unknown;
}

/** The objects that a reading command prints; it must end with 0. */
export async function readJson(home: TestHome, ...args: readonly string[]): Promise<AnyEvent[]> {
  const { exitCode, stdout, stderr } = await home.gate([...args, '--json']);
  if (exitCode !== 0) throw new Error(`gate ${args.join(' ')}: ${exitCode} ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AnyEvent);
}

/** A gate that goes on beside the test. */
export interface Background {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves once stdout matches. */
  saw(what: RegExp): Promise<void>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: string | null }>;
}

/** Starts gate; resolves when stderr has said `ready`. */
export async function startGate(home: TestHome, args: readonly string[], ready: RegExp): Promise<Background> {
  const child = spawn(process.execPath, [GATE, ...args], { env: home.env, cwd: home.dir });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.err += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const until = async (isSo: () => boolean, what: RegExp): Promise<void> => {
    const deadline = Date.now() + 30_000;
    while (!isSo()) {
      if (Date.now() > deadline || child.exitCode !== null) {
        throw new Error(`gate ${args.join(' ')} did not say ${what}: ${text.out} ${text.err}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await until(() => ready.test(text.err), ready);
  return {
    child,
    out: () => text.out,
    err: () => text.err,
    saw: (what) => until(() => what.test(text.out), what),
    stop(signal = 'SIGINT') {
      child.kill(signal);
      return ended;
    },
  };
}
