import { GateError, messageOf } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';

/** What it means that an action could not be recorded, and what to type then. */
export interface Unrecorded {
  /** Comes before the reason: `the list was changed, but not recorded`. */
  readonly message: string;
  readonly hint: string;
}

/** Notes in `actions.jsonl` what a person does to gate. Throws GateError `not_recorded` in the words given. */
export async function recordAction(
  paths: GatePaths,
  type: string,
  fields: object,
  { message, hint }: Unrecorded,
): Promise<void> {
  const { createActions } = await import('../store/actions.ts');
  try {
    createActions(paths).record(type, fields);
  } catch (error) {
    const cure = error instanceof GateError ? error.hint : undefined;
    throw new GateError('not_recorded', `${message}: ${messageOf(error)}`, {
      hint: cure ?? hint,
      cause: error,
    });
  }
}
