import { EXIT, GateError } from '../../core/errors.ts';
import { shortRunId } from '../../core/ids.ts';
import type { GatePaths } from '../../core/paths.ts';
import type { RunInfo } from '../../store/runs.ts';

/** What an id is, for `--help`. */
export const ID_HELP = 'an exchange, as K3F9QZ:42 or last:42';

/**
 * Reads `<run>:<number>`, the run by its id, its last six characters, or `last`. Throws GateError `bad_id` (exit 2)
 * or `no_such_run` (exit 1).
 */
export async function findExchange(
  id: string,
  paths: GatePaths,
): Promise<{ readonly run: RunInfo; readonly seq: number }> {
  const { findRun } = await import('../../store/runs.ts');
  const [, run, seq] = /^([^:]+):(\d{1,9})$/.exec(id) ?? [];
  if (run === undefined) {
    throw new GateError('bad_id', `'${id}' is no exchange: an id is a run and a number, as K3F9QZ:42`, {
      hint: 'gate events',
      exitCode: EXIT.usage,
    });
  }
  return { run: findRun(paths, run), seq: Number(seq) };
}

/** The error for a number that the run does not have. */
export function noSuchExchange({ run, seq }: { readonly run: RunInfo; readonly seq: number }): GateError {
  const short = shortRunId(run.run);
  return new GateError('no_such_exchange', `no exchange ${short}:${seq}`, {
    hint: `gate events run:${short}`,
    exitCode: EXIT.no,
  });
}
