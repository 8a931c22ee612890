import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { bringBack } from '../../core/package-root.ts';
import { commandLine } from '../../output/printable.ts';
import { type Check, fail, found, type Problem, problemOf } from '../check.ts';

/** `e_machine` of an ELF header (elf(5)), by Node's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
const ELF = '\u007fELF';
/** What the helper exits with when gate's Node is not there to talk to. */
const ALONE = 125;

/** Is the jail's helper there, for this machine, and does it start? */
export const helper: Check = {
  id: 'helper',
  title: 'Jail helper',
  linuxOnly: true,
  async run(context) {
    const { helperPath } = await import('../../../platform/linux/helper.ts');
    const built = join(context.root(), 'dist', 'native', 'gate-jail');
    let path: string;
    try {
      path = helperPath();
    } catch (error) {
      if (!existsSync(built)) return found([problemOf(error)], '');
      const fix = commandLine(['chmod', '755', built]);
      return found([fail(`${built} may not be executed: there is no jail`, fix)], '');
    }
    const problem = wrongMachine(path) ?? cannotStart(path);
    return found(problem === undefined ? [] : [fail(problem, bringBack(context.root(), 'run build'))], path);
  },
};

/** Why a file is no program for this machine; undefined where it is one. */
export function wrongMachine(path: string, arch: string = process.arch): string | undefined {
  const header = Buffer.alloc(20);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, header, 0, header.length, 0);
  } finally {
    closeSync(fd);
  }
  if (header.toString('latin1', 0, 4) !== ELF) return `${path} is not a program: the build was interrupted`;
  const machine = header.readUInt16LE(18);
  if (machine === MACHINES[arch]) return undefined;
  const name = Object.keys(MACHINES).find((key) => MACHINES[key] === machine) ?? `machine ${machine}`;
  return `${path} was built for ${name}, and this is ${arch}`;
}

/** Started by itself it has no gate to talk to and says so by its exit code. */
function cannotStart(path: string): Problem['message'] | undefined {
  const { status, signal, error } = spawnSync(path, [], { stdio: 'ignore', env: {}, timeout: 2000 });
  if (status === ALONE) return undefined;
  return `${path} does not start: ${error?.message ?? signal ?? `exit code ${status}`}`;
}
