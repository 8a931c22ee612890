/** Who runs the probes: always the current user, and an unprivileged one too when that is root. */
import { readFileSync } from 'node:fs';
import { execPath, getgid, getuid } from 'node:process';

export interface Identity {
  readonly name: 'root' | 'user';
  readonly uid: number;
  readonly gid: number;
  /** Put before a command line so that it runs as this user. */
  readonly prefix: readonly string[];
}

const REGULAR = { from: 1000, to: 60_000 };

/**
 * A regular user of this machine, to become with setpriv. `nobody` is only the last resort: in a jail other
 * owners are shown as nobody, so that a real nobody sees the world turned round.
 */
function unprivileged(): { uid: number; gid: number } {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [, , uid, gid] = line.split(':');
    if (Number(uid) >= REGULAR.from && Number(uid) < REGULAR.to)
      return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

export function isRoot(): boolean {
  return getuid?.() === 0;
}

export function identities(): readonly Identity[] {
  const own = { uid: getuid?.() ?? 0, gid: getgid?.() ?? 0, prefix: [] };
  if (!isRoot()) return [{ name: 'user', ...own }];
  const other = unprivileged();
  const prefix = [
    'setpriv',
    `--reuid=${other.uid}`,
    `--regid=${other.gid}`,
    '--clear-groups',
    '--inh-caps=-all',
  ];
  return [
    { name: 'root', ...own },
    { name: 'user', ...other, prefix },
  ];
}

/** The Node that runs the tests, which is the one that gate is started with. */
export const NODE = execPath;
