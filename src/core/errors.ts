/** Exit codes of the program, as promised in docs/exit-codes.md. */
export const EXIT = {
  ok: 0,
  no: 1,
  usage: 2,
  internal: 125,
  notExecutable: 126,
  notFound: 127,
} as const;

export interface GateErrorOptions {
  /** What the person can type or do next; printed on its own line. */
  readonly hint?: string;
  /** Exit code of the program when this error ends it. Default 125. */
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/** An error that is told to the person: a stable code for programs, a sentence for people, a next step. */
export class GateError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: string, message: string, options: GateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GateError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.internal;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`, …), or undefined for anything else that was thrown. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
