import { GateError } from '../core/errors.ts';

/** What may end a demo before its time. */
export interface Ending {
  readonly signal: AbortSignal;
  /** The signal of the system that ended it. */
  by(): NodeJS.Signals | undefined;
  stop(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Of a demo that takes two seconds. */
const PATIENCE_MS = 50_000;

/** Watches for Ctrl-C and its like, so that a demo that is interrupted cleans up, and for one that hangs. */
export function watchForEnding(): Ending {
  const controller = new AbortController();
  let by: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals): void => {
    by ??= signal;
    controller.abort(new GateError('interrupted', `ended by ${signal}`));
  };
  const late = setTimeout(() => {
    const message = `the demo did not end within ${PATIENCE_MS / 1000} seconds`;
    controller.abort(new GateError('demo_stuck', message, { hint: 'gate doctor' }));
  }, PATIENCE_MS);
  for (const signal of SIGNALS) process.on(signal, end);
  return {
    signal: controller.signal,
    by: () => by,
    stop() {
      clearTimeout(late);
      for (const signal of SIGNALS) process.off(signal, end);
    },
  };
}
