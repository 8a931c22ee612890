import { type ChildProcess, execFileSync, fork, type StdioOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A process of the benchmark that listens on a port of loopback. */
export interface Listening {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Starts one of `processes/` and waits for the port that it says. */
export async function startOwn(
  name: string,
  args: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<Listening> {
  const file = `${import.meta.dirname}/processes/${name}.ts`;
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [...nodeFlags, '--import', 'tsx', file, ...args], { stdio });
  return { child, port: await portOf(child) };
}

/** Starts a built program of the benchmark and waits for the port that it says. */
export async function startBuilt(
  file: string,
  args: readonly string[],
  nodeFlags: readonly string[],
): Promise<Listening> {
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [...nodeFlags, file, ...args], { stdio });
  return { child, port: await portOf(child) };
}

/** Starts the load generator. */
export function forkOwn(name: string): ChildProcess {
  return fork(`${import.meta.dirname}/processes/${name}.ts`, { execArgv: ['--import', 'tsx'] });
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the process has no stdout');
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('{')) continue;
    // What it says later goes nowhere, but must not fill the pipe.
    child.stdout.resume();
    return (JSON.parse(line) as { port: number }).port;
  }
  throw new Error(`a process of the benchmark ended before it listened: ${child.spawnargs.join(' ')}`);
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time of a process so far, over all its threads, in milliseconds; proc(5). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15 of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** How long a process must do nothing to count as idle, and how long that is waited for at most. */
const QUIET_MS = 250;
const PATIENCE_MS = 20_000;

/** Waits until a process has nothing left to do: what it put off while it was busy is part of what the work cost. */
export async function idle(pid: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let before = cpuMs(pid);
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const now = cpuMs(pid);
    if (now - before <= 1000 / TICKS) return;
    before = now;
  }
}

/** The most memory that a process ever had, in MB; proc(5). */
export function peakMb(pid: number): number {
  const kilobytes = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** Asks a process to end and waits until it has; after two seconds it is not asked any more. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await ended;
  clearTimeout(timer);
}
