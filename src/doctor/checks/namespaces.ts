import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GateError } from '../../core/errors.ts';
import { withBareJail } from '../bare-jail.ts';
import { type Check, fail, found, type Problem, problemOf, warn } from '../check.ts';

/** A jail stands within tens of milliseconds. One that does not come is told by the check of the hand-over. */
const PATIENCE_MS = 1500;

/** What the kernel says of namespaces; undefined where it has no such switch. */
export interface NamespaceSettings {
  /** `user.max_user_namespaces` */
  readonly max: number | undefined;
  /** Debian's `kernel.unprivileged_userns_clone` */
  readonly clone: number | undefined;
  /** Ubuntu's `kernel.apparmor_restrict_unprivileged_userns` */
  readonly apparmor: number | undefined;
}

/** May namespaces be made here? Asked of the settings, and of the kernel itself with a jail that stands for a moment. */
export const namespaces: Check = {
  id: 'namespaces',
  title: 'Namespaces',
  needs: ['helper'],
  outsideOnly: true,
  linuxOnly: true,
  async run() {
    const settings = {
      max: sysctl('user/max_user_namespaces'),
      clone: sysctl('kernel/unprivileged_userns_clone'),
      apparmor: sysctl('kernel/apparmor_restrict_unprivileged_userns'),
    };
    const attempt = withBareJail(() => undefined).catch((error: unknown) => error);
    const failure = await Promise.race([attempt, sleep(PATIENCE_MS, undefined, { ref: false })]);
    return found(namespaceProblems(settings, failure), 'user, network, mount, pid, ipc and uts');
  },
};

/** What stands against a jail; `failure` is what an attempt to make one threw. Pure. */
export function namespaceProblems(settings: NamespaceSettings, failure: unknown): Problem[] {
  if (failure === undefined) return restrictedToOthers(settings);
  const problem = problemOf(failure);
  const fix = failure instanceof GateError ? switchedOff(settings) : undefined;
  return [fix === undefined ? problem : fail(`${problem.message}: ${fix.reason}`, fix.command)];
}

/** The switch that explains a failure, and how to turn it. */
function switchedOff(settings: NamespaceSettings): { reason: string; command: string } | undefined {
  if (settings.max === 0) {
    const reason = 'user.max_user_namespaces is 0';
    return { reason, command: 'sudo sysctl user.max_user_namespaces=10000' };
  }
  if (settings.clone === 0) {
    const reason = 'kernel.unprivileged_userns_clone is 0';
    return { reason, command: 'sudo sysctl kernel.unprivileged_userns_clone=1' };
  }
  if (settings.apparmor !== undefined && settings.apparmor > 0) {
    const reason = 'kernel.apparmor_restrict_unprivileged_userns is on';
    return { reason, command: LOAD_PROFILE };
  }
  return undefined;
}

const LOAD_PROFILE =
  'sudo cp profiles/apparmor/gate /etc/apparmor.d/gate && sudo apparmor_parser -r /etc/apparmor.d/gate';

/** A jail stands, but as root only, whom Ubuntu's switch does not bind. */
function restrictedToOthers({ apparmor, clone }: NamespaceSettings): Problem[] {
  if (process.geteuid?.() !== 0 || (clone !== 0 && !apparmor)) return [];
  const message = 'only root can make a jail here: for a normal user the kernel forbids user namespaces';
  return [warn(message, clone === 0 ? 'sudo sysctl kernel.unprivileged_userns_clone=1' : LOAD_PROFILE)];
}

function sysctl(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name}`, 'utf8').trim());
  } catch {
    // This kernel has no such switch, or this container shows no switches.
    return undefined;
  }
}
