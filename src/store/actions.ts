import type { GatePaths } from '../core/paths.ts';
import { appendRecords } from './chained-log.ts';
import { withLock } from './lock.ts';

/** What people did to gate itself: lists edited, flags dismissed, secrets looked at, runs pruned, CA changed. */
export interface Actions {
  /** Appends one action, flushed when it returns. Throws GateError `locked` or the system's error. */
  record(type: string, fields: object): void;
}

/**
 * Makes the access to `actions.jsonl`. How the file stands after an action is noted in `heads.jsonl` (`acted`): a
 * chain by itself cannot show that its end was cut.
 */
export function createActions(paths: Pick<GatePaths, 'actions' | 'heads' | 'lock'>): Actions {
  return {
    record(type, fields) {
      withLock(paths.lock, () => {
        const actions = appendRecords(paths.actions, [{ type, fields }]);
        appendRecords(paths.heads, [{ type: 'acted', fields: { actions } }]);
      });
    },
  };
}
