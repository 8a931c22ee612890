import { constants } from 'node:os';
import type { CommandEnd, Jail } from '../../platform/jail.ts';

/**
 * Signals that gate passes on to the command. Stop signals are left to the kernel and the jail, which mirrors
 * them; SIGWINCH reaches the command from the terminal itself unless gate's own group is in the foreground.
 */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** Those of them that end a program which does nothing about them, and that a person or a supervisor ends one with. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** The signals of one run, from the moment there is a record to lose. */
export interface RunSignals {
  /** The first signal so far that should end a command which has not been started yet. */
  early(): CommandEnd | undefined;
  /** Passes signals on from now on. */
  forward(jail: Jail, killAfterMs: number): void;
  stop(): void;
}

/**
 * Takes signals over from their default, so that none ends gate in the middle of a record. A terminated command gets
 * `killAfterMs` milliseconds to end by itself before everything in the jail is killed: whoever terminates gate wants
 * it gone.
 */
export function takeSignals(): RunSignals {
  let early: NodeJS.Signals | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let take = (signal: NodeJS.Signals): void => {
    if (ENDING.has(signal)) early ??= signal;
  };
  for (const signal of FORWARDED) process.on(signal, (arrived) => take(arrived));
  return {
    early: () => (early === undefined ? undefined : { signal: early, number: constants.signals[early] }),
    forward(jail, killAfterMs) {
      take = (signal) => {
        jail.signal(signal);
        if (signal === 'SIGTERM') deadline ??= setTimeout(() => jail.destroy(), killAfterMs);
      };
    },
    stop() {
      clearTimeout(deadline);
      // The listeners stay: a late signal must not kill gate while it writes the end of the record.
    },
  };
}
