import type { Writable } from 'node:stream';
import { shortDuration } from './time.ts';

/** A line on a terminal that says how far long work has come, and when it will be done. */
export interface Progress {
  /** `done` of `total`, in any unit. Draws ten times a second at most. */
  update(progress: { readonly done: number; readonly total: number }): void;
  /** Takes the line away. */
  clear(): void;
}

export interface ProgressOptions {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  readonly quiet?: boolean | undefined;
  /** What goes on, e.g. `reading the ledgers`. */
  readonly what: string;
  /** Milliseconds that the work may take before anything is drawn. Default 0. */
  readonly delayMs?: number;
  /** Milliseconds, any zero. */
  readonly now?: () => number;
}

const DRAW_MS = 100;
/** Before this there is too little to tell the speed by. */
const ETA_MS = 500;

/** Whether the stream is a terminal on which a line can be written over. */
export function canRedraw(stream: ProgressOptions['stream'], env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Makes a progress line; silent where the stream is no terminal that can redraw, or nobody wants it. */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, env, what, quiet = false, delayMs = 0, now = () => performance.now() } = options;
  const on = canRedraw(stream, env) && !quiet;
  const started = now();
  let drawn: number | undefined;

  return {
    update({ done, total }) {
      const time = now();
      if (!on || time - started < delayMs) return;
      if (drawn !== undefined && time - drawn < DRAW_MS) return;
      drawn = time;
      const line = `gate: ${what} ${percent(done, total)}${eta(done, total, drawn - started)}`;
      stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
    },
    clear() {
      if (drawn !== undefined) stream.write('\r\u001b[K');
    },
  };
}

function percent(done: number, total: number): string {
  return `${total === 0 ? 100 : Math.floor((done / total) * 100)} %`;
}

function eta(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || elapsedMs < ETA_MS) return '';
  return `, ${shortDuration((elapsedMs / done) * (total - done))} left`;
}
