import type { Io } from '../../core/io.ts';
import type { UnreadableRun } from '../../store/readable.ts';
import { say } from '../command.ts';
import type { GlobalFlags } from '../global.ts';

/** Names the runs of which records are missing in what a command shows. */
export function sayUnreadable(io: Io, flags: GlobalFlags, unreadable: readonly UnreadableRun[]): void {
  for (const { run, reason } of unreadable) {
    say(
      io,
      flags,
      `run ${run} cannot be read; its newest records are missing here: ${reason}\n  gate doctor`,
    );
  }
}
