import { GateError } from '../core/errors.ts';

/** The error of a pack that was cut. */
export function missing(at: number): GateError {
  return new GateError('body_missing', `the pack ends before the frame at byte ${at} does`);
}

/** The error of a frame that cannot be what was written; `what` follows a colon. */
export function damaged(at: number, what: string, cause?: unknown): GateError {
  return new GateError('body_damaged', `the frame at byte ${at} of the pack is damaged: ${what}`, { cause });
}
