import type { Outcome } from '../core/outcome.ts';

/** Thrown where work goes on after its exchange was stopped. */
export class Cancelled extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super(`stopped: ${outcome}`);
    this.name = 'Cancelled';
    this.outcome = outcome;
  }
}

/** Tells everything that works on one exchange that it has been stopped, and how it is to be recorded. */
export class Cancel {
  outcome: Outcome | undefined;
  /** What made it stop, where that is worth recording. */
  cause: Error | undefined;
  #onStop: (() => void) | undefined;

  /** Stops the work; the first reason counts. */
  stop(outcome: Outcome, cause?: Error): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.cause = cause;
    this.#onStop?.();
  }

  /** Sets what undoes the step that is now under way; undefined when nothing needs undoing. */
  set undo(undo: (() => void) | undefined) {
    this.#onStop = undo;
    if (this.outcome !== undefined) undo?.();
  }

  /** Throws {@link Cancelled} once stopped. */
  check(): void {
    if (this.outcome !== undefined) throw new Cancelled(this.outcome);
  }
}
