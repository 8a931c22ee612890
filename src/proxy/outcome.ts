import { messageOf } from '../core/errors.ts';
import type { EndFacts } from '../core/exchange.ts';
import type { Outcome, Timing } from '../core/outcome.ts';
import { type Answer, badRequest, upstreamFailed } from './answer.ts';
import { Cancelled } from './cancel.ts';
import { BadRequest, UpstreamError, WireError } from './errors.ts';

/** How a failed exchange is recorded. `released`: the client has seen a part of the origin's answer. */
export function endOf(
  error: unknown,
  released: boolean,
  cause: Error | undefined,
): Pick<EndFacts, 'outcome' | 'error'> {
  if (error instanceof Cancelled) {
    return withError(error.outcome, cause === undefined ? undefined : cause);
  }
  if (error instanceof UpstreamError) {
    const outcome = error.code === 'timeout' ? 'timeout' : released ? 'upstream_reset' : 'upstream_error';
    return withError(outcome, error);
  }
  if (error instanceof WireError || error instanceof BadRequest) return withError('client_aborted', error);
  return { outcome: 'upstream_error', error: { code: 'internal', message: messageOf(error) } };
}

function withError(outcome: Outcome, error: Error | undefined): Pick<EndFacts, 'outcome' | 'error'> {
  return error === undefined
    ? { outcome }
    : { outcome, error: { code: codeFor(error), message: error.message } };
}

function codeFor(error: Error): string {
  if (error instanceof UpstreamError || error instanceof BadRequest) return error.code;
  return error instanceof WireError ? error.kind : 'internal';
}

/** Whether an error is one that the outside can cause. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof Cancelled ||
    error instanceof UpstreamError ||
    error instanceof WireError ||
    error instanceof BadRequest
  );
}

/** What a client is told that has seen nothing yet; undefined when its connection is to be cut instead. */
export function answerTo(error: unknown, host: string): Answer | undefined {
  if (error instanceof UpstreamError) return upstreamFailed(error.code, host, error.message);
  if (error instanceof BadRequest) return badRequest(error.status, error.code, error.message);
  if (error instanceof Cancelled || error instanceof WireError) return undefined;
  return upstreamFailed('connect_failed', host, `gate failed: ${messageOf(error)}`);
}

/** Milliseconds to the microsecond; parts that did not happen are left out. */
export function timingOf(
  totalMs: number,
  parts: Readonly<Record<'dnsMs' | 'connectMs' | 'tlsMs' | 'firstByteMs', number | undefined>>,
): Timing {
  const timing: Timing = { totalMs: rounded(totalMs) };
  for (const [name, value] of Object.entries(parts)) {
    if (value !== undefined) timing[name] = rounded(value);
  }
  return timing;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
