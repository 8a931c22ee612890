import type { Readable, Writable } from 'node:stream';
import { GateError } from './errors.ts';

/** The folder that the program was started in. Throws GateError `no_cwd` where it has been removed since. */
export function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new GateError('no_cwd', 'the folder that you are in does not exist any more', {
      hint: 'cd to one that does, then run it again',
      cause,
    });
  }
}

/** Everything of the outside that a command may touch besides files: injected, so that tests can stand in. */
export interface Io {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}
