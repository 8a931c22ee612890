import { arch, platform, release } from 'node:os';
import { type Check, fail, found, type Problem } from '../check.ts';

/** As `engines` in package.json says. */
const NEEDED = [20, 19] as const;
/** mount_setattr, by which the jail makes mounts read-only. */
const LINUX_NEEDED = [5, 12] as const;
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** What gate runs on. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** The kernel's, as `uname -r` prints it. */
  readonly release: string;
}

/** Is this a Node and a system that gate works on? */
export const node: Check = {
  id: 'node',
  title: 'Node',
  run() {
    const machine = { node: process.versions.node, platform: platform(), arch: arch(), release: release() };
    const detail = `${machine.node} on ${machine.platform} ${machine.release}, ${machine.arch}`;
    return found(machineProblems(machine), detail);
  },
};

/** What gate cannot do on a machine. Pure. */
export function machineProblems(machine: Machine): Problem[] {
  const problems: Problem[] = [];
  if (isOlder(machine.node, NEEDED)) {
    const message = `Node ${machine.node} is older than ${NEEDED.join('.')}: gate may fail anywhere`;
    problems.push(
      fail(message, 'install Node 22 or 24 (https://nodejs.org/en/download), then `gate doctor` again'),
    );
  }
  if (machine.platform !== 'linux' || !ARCHITECTURES.includes(machine.arch)) {
    const message = `there is no jail for ${machine.platform} on ${machine.arch}: commands cannot be confined`;
    problems.push(fail(message, '`gate run --mode permissive` records what uses the proxy'));
  } else if (isOlder(machine.release, LINUX_NEEDED)) {
    const message = `Linux ${machine.release} is older than ${LINUX_NEEDED.join('.')}: the jail cannot be built`;
    problems.push(fail(message, 'update the kernel, or `gate run --mode permissive`'));
  }
  return problems;
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first < major || (first === major && second < minor);
}
