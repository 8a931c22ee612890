import { codeOf, GateError, messageOf } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';

/** Something that `--auto-repair` may do: safe, and harmless when done twice. */
export interface Repair {
  /** As it is told: `make the folder /x/data`. */
  readonly what: string;
  run(): void | Promise<void>;
}

/** One thing that a check does not like. */
export interface Problem {
  /** `warn`: gate works; `fail`: a run would end with 125, or what gate promises does not hold. */
  readonly level: 'warn' | 'fail';
  /** What was found, and what follows from it. */
  readonly message: string;
  /** What the person can type or do. */
  readonly fix: string;
  readonly repair?: Repair;
}

/** What a check found: nothing bad, problems, or a reason why it can say nothing. */
export type Outcome =
  | { readonly detail: string; readonly problems: readonly Problem[] }
  | { readonly skipped: string };

/** What a check is given of the outside. */
export interface CheckContext {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Throws GateError `bad_home` for a relative GATE_HOME. */
  paths(): GatePaths;
  /** This installation's folder. Throws GateError `broken_install`. */
  root(): string;
  /** The run in whose jail doctor was started. */
  readonly inside: string | undefined;
}

/**
 * One line of doctor. Whatever is heavy or may be broken is imported inside `run`, so that doctor starts on the most
 * broken machine. `run` writes nothing in gate's folders.
 */
export interface Check {
  readonly id: string;
  readonly title: string;
  /** Ids of earlier checks: where one of them failed, this one could say nothing of its own. */
  readonly needs?: readonly string[];
  /** Looks at what a jailed process cannot see, or starts a jail. */
  readonly outsideOnly?: boolean;
  readonly linuxOnly?: boolean;
  /** Milliseconds. */
  readonly limitMs?: number;
  run(context: CheckContext, signal: AbortSignal): Outcome | Promise<Outcome>;
}

/** All is well. */
export function fine(detail: string): Outcome {
  return { detail, problems: [] };
}

/** What was found; `detail` is told where nothing was. */
export function found(problems: readonly Problem[], detail: string): Outcome {
  return { detail, problems };
}

/** One problem that a run would fail of. */
export function fail(message: string, fix: string, repair?: Repair): Problem {
  return { level: 'fail', message, fix, ...(repair === undefined ? {} : { repair }) };
}

/** One problem that gate works with. */
export function warn(message: string, fix: string, repair?: Repair): Problem {
  return { level: 'warn', message, fix, ...(repair === undefined ? {} : { repair }) };
}

/** A thrown error as a problem: gate's own errors say what to do, the system's name the file. */
export function problemOf(error: unknown): Problem {
  const fix =
    (error instanceof GateError ? error.hint : undefined) ??
    (error instanceof GateError || codeOf(error) !== undefined
      ? 'see to what it names, then run `gate doctor` again'
      : 'report it, with the output of `gate doctor --json`');
  return fail(messageOf(error), fix);
}
