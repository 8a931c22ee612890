import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import * as z from 'zod';

/**
 * What tells one process from every other, also after a reboot and after its pid was given away again.
 * `place`: the machine and its pid namespace; a pid says nothing outside it.
 */
export const ProcessIdentity = z.looseObject({
  pid: z.int(),
  started: z.string(),
  boot: z.string(),
  place: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Whether the process lives; `unknown` when it was started on another machine or in another container. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  const { pid } = process;
  return { pid, started: startOf(pid) ?? '', boot: bootId(), place: place() };
}

/** Whether the process of this identity still lives. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.place !== place()) return 'unknown';
  if (identity.boot !== bootId()) return 'dead';
  return startOf(identity.pid) === identity.started ? 'alive' : 'dead';
}

/** When a process was started: clock ticks since boot (proc(5), field 22), or `ps`'s text on macOS. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return output('ps', ['-o', 'lstart=', '-p', String(pid)]);
  const stat = read(`/proc/${pid}/stat`);
  // The program's name stands in parentheses and may hold anything, spaces and parentheses too.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie holds its pid but does nothing more.
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

function bootId(): string {
  const id = read('/proc/sys/kernel/random/boot_id') ?? output('sysctl', ['-n', 'kern.boottime']);
  return id?.trim() ?? '';
}

function place(): string {
  return `${hostname()} ${pidNamespace()}`;
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // macOS, or no /proc: there is one namespace, or none that could be told apart.
    return '';
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // No such process, or no such system.
    return undefined;
  }
}

function output(command: string, args: readonly string[]): string | undefined {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 2000 });
  return done.status === 0 && done.stdout.trim() !== '' ? done.stdout.trim() : undefined;
}
