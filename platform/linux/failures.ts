import { getSystemErrorName } from 'node:util';
import { EXIT, GateError } from '../../src/core/errors.ts';

/** What a person can do about a step that failed; the first match counts. */
const FIXES: readonly { readonly where: RegExp; readonly error?: string; readonly fix: string }[] = [
  {
    where: /^user-namespace/,
    error: 'ENOSPC',
    fix: 'user namespaces are switched off: sudo sysctl user.max_user_namespaces=10000',
  },
  {
    where: /^user-namespace: uid_map of root/,
    fix: 'root without CAP_SETFCAP cannot make user namespaces: start the container with --cap-add SETFCAP, or run gate as a normal user',
  },
  {
    where: /^user-namespace/,
    fix: 'user namespaces are forbidden here. Ubuntu 23.10 and later: load the AppArmor profile in profiles/apparmor, or sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0. Debian: sudo sysctl kernel.unprivileged_userns_clone=1. In a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined',
  },
  {
    where: /^(network-)?namespaces?\b/,
    error: 'ENOSPC',
    fix: 'too few namespaces are allowed: raise user.max_{net,mnt,pid,ipc,uts}_namespaces with sudo sysctl',
  },
  {
    where: /^(mount-)?namespaces?\b|^network|^pins|^cover|^capabilities/,
    error: 'EPERM',
    fix: 'a security module or the container around gate forbids it: Ubuntu 23.10 and later: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0. In a container: --security-opt seccomp=unconfined --security-opt apparmor=unconfined',
  },
  {
    where: /^proc:/,
    fix: 'the container around gate hides parts of /proc, so the jail cannot have its own: start it with --security-opt systempaths=unconfined (docker) or --security-opt unmask=ALL (podman)',
  },
  {
    where: /^hard-links:/,
    error: 'EMLINK',
    fix: 'this file has another name that gate cannot find, and by which the command could reach it: `sudo find / -samefile FILE` shows it; remove it, or replace the file by a copy of itself',
  },
  { where: /./, error: 'ENOSYS', fix: 'gate needs Linux 5.12 or later' },
  {
    where: /^seccomp/,
    error: 'EBUSY',
    fix: 'the container around gate answers system calls itself, and the kernel allows one such: switch that off (LXD: security.syscalls.intercept.*)',
  },
  {
    where: /^broker: trying a connection/,
    error: 'EPERM',
    fix: "the jail makes the command's connections, and needs a debugger's rights for it: kernel.yama.ptrace_scope must be 2 or less, and a container must allow pidfd_getfd and process_vm_readv",
  },
  {
    where: /^stdio/,
    error: 'EISDIR',
    fix: 'standard input, output or error is a folder, which would show what the jail hides: give it a file or a pipe',
  },
  {
    where: /^stdio/,
    fix: 'standard input, output or error is a datagram socket, or one that is not connected: it could send anywhere. Put a pipe in between',
  },
  { where: /^cwd/, fix: 'start gate in a folder that the jail may show' },
  { where: /^seccomp/, fix: 'gate needs a kernel with CONFIG_SECCOMP_FILTER' },
  {
    where: /^listeners/,
    error: 'EADDRINUSE',
    fix: 'remove doubled ports from capture.ports and --allow-local',
  },
];

/** A status line `error STEP ERRNO DETAIL` as an error for people, exit code 125. */
export function jailFailure(step: string, errno: number, detail: string): GateError {
  const error = errorName(errno);
  const where = detail === '' ? step : `${step}: ${detail}`;
  const fix = FIXES.find((entry) => entry.where.test(where) && (entry.error ?? error) === error)?.fix;
  return new GateError('jail_failed', `the jail could not be built (${where}: ${error})`, {
    hint: fix ?? '`gate doctor` shows what this machine allows',
  });
}

/** A status line `exec ERRNO PATH`: 127 where there is no such command, 126 where it cannot be executed. */
export function execFailure(errno: number, path: string): GateError {
  const error = errorName(errno);
  if (error === 'ENOENT' || error === 'ENOTDIR') {
    return new GateError('command_not_found', `${path}: command not found`, { exitCode: EXIT.notFound });
  }
  return new GateError('command_not_executable', `${path}: ${EXEC_REASONS[error] ?? error}`, {
    exitCode: EXIT.notExecutable,
  });
}

const EXEC_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ELIBBAD: 'its interpreter is missing',
  ENOEXEC: 'cannot be executed on this machine',
  E2BIG: 'the arguments and the environment are too long',
};

function errorName(errno: number): string {
  if (errno === 80) return 'ELIBBAD';
  if (errno === 0) return 'no reason given';
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `errno ${errno}`;
  }
}
