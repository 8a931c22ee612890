import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  /** Run by this Node. */
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ends the process; the promise rejects with its reason when the process has ended. */
  readonly signal: AbortSignal;
  onLine?(line: string): void;
}

export interface ChildEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** How long a process that was asked to end may take before it is killed. */
const GRACE_MS = 2000;

/** Runs a script of Node's to its end; no input, its stdout by lines. Rejects when it cannot be started or is ended. */
export async function runChild(options: ChildOptions): Promise<ChildEnd> {
  const { script, args, cwd, env, signal } = options;
  signal.throwIfAborted();
  const child = spawn(process.execPath, [script, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let grace: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    grace ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', end);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    options.onLine?.(line);
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return { code, lines, stderr };
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', end);
  }
}
