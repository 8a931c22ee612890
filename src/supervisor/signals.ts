import type { Jail } from '../../platform/jail.ts';

/**
 * Signals that gate passes on to the command. Stop signals are left to the kernel and the jail, which mirrors
 * them; SIGWINCH reaches the command from the terminal itself unless gate's own group is in the foreground.
 */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/**
 * Passes signals on while the command runs. A terminated command gets `killAfterMs` milliseconds to end by
 * itself before everything in the jail is killed: whoever terminates gate wants it gone.
 */
export function forwardSignals(jail: Jail, killAfterMs: number): { stop(): void } {
  let deadline: NodeJS.Timeout | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    jail.signal(signal);
    if (signal === 'SIGTERM') deadline ??= setTimeout(() => jail.destroy(), killAfterMs);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return {
    stop() {
      clearTimeout(deadline);
      // The listeners stay: a late signal must not kill gate while it writes the end of the record.
    },
  };
}
