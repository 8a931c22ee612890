import { messageOf } from '../core/errors.ts';

/** The words of `x-gate-error`. */
export type UpstreamErrorCode =
  | 'dns_failed'
  | 'connect_failed'
  | 'tls_invalid'
  | 'upstream_proxy'
  | 'timeout';

/** The origin could not be reached, or broke off. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;
  /** The origin said that it has not begun with the request, which may be sent again (RFC 9113 §8.7). */
  unprocessed = false;

  constructor(code: UpstreamErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UpstreamError';
    this.code = code;
  }
}

/** What a client sent cannot be read as HTTP: answered with `status`, then the connection is closed. */
export class BadRequest extends Error {
  readonly status: number;
  /** A stable word for the ledger. */
  readonly code: string;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'BadRequest';
    this.code = code;
    this.status = status;
  }
}

/** The audit trail failed: from here on nothing may be released. */
export class AuditError extends Error {
  constructor(cause: unknown) {
    super(`the audit trail cannot be written: ${messageOf(cause)}`, { cause });
    this.name = 'AuditError';
  }
}

/** A connection that ended, broke or stalled while something was expected of it. */
export class WireError extends Error {
  readonly kind: 'ended' | 'broken' | 'stalled';

  constructor(kind: WireError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'WireError';
    this.kind = kind;
  }
}

/** Turns the recorder's rejections into the one error that stops everything. */
export async function audited<T>(written: Promise<T>): Promise<T> {
  try {
    return await written;
  } catch (error) {
    throw new AuditError(error);
  }
}
