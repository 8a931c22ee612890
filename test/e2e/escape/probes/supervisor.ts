/** What holds the agent: gate, its helper, the jail's init, and every other process of the user. */
import { both, type Need, type Probe, py } from '../probe.ts';

const CLASS = 'supervisor';
const GONE = /^E(SRCH|NOENT)$/;
/** Refused as a call, before anybody looks for the process. */
const NO_CALL = /^E(PERM|NOSYS|SRCH)$/;
const HELD = /^(E(PERM|ACCES|SRCH|NOENT|INVAL|NOSYS)|no effect|empty)$/;

interface Touch {
  readonly name: string;
  readonly args: (pid: string) => readonly string[];
  readonly needs?: readonly Need[];
  /** Left out for the jail's init, which the agent may see and ask about. */
  readonly notInit?: true;
}

const TOUCHES: readonly Touch[] = [
  { name: 'SIGKILL', args: (pid) => ['kill', pid, '9'] },
  { name: 'SIGSTOP', args: (pid) => ['kill', pid, '19'] },
  { name: 'SIGTERM', args: (pid) => ['kill', pid, '15'] },
  { name: 'signal 0', args: (pid) => ['kill', pid, '0'], notInit: true },
  { name: 'ptrace attach', args: (pid) => ['ptrace', pid, 'attach'] },
  { name: 'ptrace seize', args: (pid) => ['ptrace', pid, 'seize'] },
  { name: 'process_vm_readv', args: (pid) => ['vm', pid, 'read'] },
  { name: 'process_vm_writev', args: (pid) => ['vm', pid, 'write'] },
  { name: '/proc/PID/mem', args: (pid) => ['mem', pid] },
  { name: '/proc/PID/environ', args: (pid) => ['read', pid, 'environ'] },
  { name: '/proc/PID/maps', args: (pid) => ['read', pid, 'maps'] },
  { name: '/proc/PID/root', args: (pid) => ['folder', pid, 'root'] },
  { name: '/proc/PID/cwd', args: (pid) => ['folder', pid, 'cwd'] },
  { name: '/proc/PID/fd', args: (pid) => ['descriptors', pid] },
  { name: 'pidfd_send_signal', args: (pid) => ['pidfd', pid], notInit: true },
  { name: 'pidfd_getfd', args: (pid) => ['getfd', pid] },
  { name: 'setns net', args: (pid) => ['setns', pid, 'net'], needs: ['root'] },
  { name: 'setns mnt', args: (pid) => ['setns', pid, 'mnt'], needs: ['root'] },
  { name: 'setns by pidfd', args: (pid) => ['setns_pidfd', pid], needs: ['root'] },
];

function touch(whom: string, pid: string, expect: RegExp, one: Touch): Probe {
  return {
    name: `${one.name} on ${whom}`,
    class: CLASS,
    outside: py('proc', ...one.args('{victim}')),
    inside: py('proc', ...one.args(pid)),
    expect: one.name.startsWith('process_vm') ? NO_CALL : expect,
    needs: one.needs ?? [],
  };
}

const init = TOUCHES.filter((one) => one.notInit !== true);
const some = TOUCHES.filter((one) => !['SIGTERM', '/proc/PID/maps', '/proc/PID/cwd'].includes(one.name));

/** Only ever run where pid 1 is a process of the test: without a jail it would be that of the machine. */
export const INIT: readonly Probe[] = init.map((one) => touch('the init of the jail', '1', HELD, one));

export const PROCESSES: readonly Probe[] = [
  ...TOUCHES.map((one) => touch('gate', '{gate}', GONE, one)),
  ...some.map((one) => touch('a process outside', '{canary}', GONE, one)),
  {
    name: 'list of processes outside',
    class: CLASS,
    ...both(py('proc', 'listed', '{marker}')),
    expect: /^not among \d+ processes$/,
  },
  {
    name: 'pidfd_getfd as a call',
    class: CLASS,
    ...both(py('proc', 'getfd_self', '0')),
    expect: /^E(PERM|NOSYS)$/,
  },
];

function shared(
  name: string,
  program: string,
  args: readonly string[],
  expect: RegExp,
  needs: Need[] = [],
): Probe {
  return { name, class: CLASS, ...both(py(program, ...args)), expect, needs };
}

/** A key that is the scene's own, from its token. */
export function ipcKey(token: string): string {
  return String(Number.parseInt(token.slice(3, 10), 16));
}

export const SHARED: readonly Probe[] = [
  shared('SysV shared memory', 'ipc', ['shm', '{ipcKey}'], /^ENOENT$/),
  shared('SysV semaphore', 'ipc', ['sem', '{ipcKey}'], /^ENOENT$/),
  shared('SysV message queue', 'ipc', ['msg', '{ipcKey}'], /^ENOENT$/),
  shared('POSIX message queue', 'ipc', ['mq', '{ipcKey}'], /^ENOENT$/),
  shared('/dev/shm of the host', 'files', ['read', '/dev/shm/gate-escape-{mark}', '{token}'], /^ENOENT$/),
  shared('setuid program', 'files', ['execute', '{whoami}'], /^ran as [1-9]|^EPERM$/, [
    'user',
    'far',
    'tool:cc',
  ]),
];

/** Descriptors 8 (a connected socket) and 9 (gate's data folder) are open in whoever starts gate. */
export const INHERITED: readonly Probe[] = [
  shared('connected socket left open', 'net', ['inherited', '8'], /^EBADF$/),
  shared('descriptors beyond the three', 'net', ['descriptors', 'x'], /^only three$/),
  shared('data folder left open', 'files', ['descriptor', '9', 'marker.txt', '{token}'], /^EBADF$/),
];
