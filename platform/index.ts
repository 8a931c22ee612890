import { GateError } from '../src/core/errors.ts';
import type { CreateJail } from './jail.ts';
import { createLinuxJail } from './linux/launcher.ts';

/** Architectures whose system calls the helper's filter knows. */
const LINUX_ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** Makes the jail of this system. Rejects with a GateError (exit code 125) where there is none. */
export const createJail: CreateJail = async (spec, events) => {
  if (process.platform === 'linux' && LINUX_ARCHITECTURES.includes(process.arch)) {
    return createLinuxJail(spec, events);
  }
  throw new GateError('no_jail', `there is no jail for ${process.platform} on ${process.arch}`, {
    hint: 'run with --mode permissive: the command is then recorded, not confined',
  });
};
