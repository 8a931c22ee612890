import type { GatePaths } from '../core/paths.ts';
import { createChainedLog } from './chained-log.ts';

/** What people did to gate itself: lists edited, flags dismissed, secrets looked at, runs pruned, CA changed. */
export interface Actions {
  /** Appends one action, flushed when it returns. Throws GateError `locked` or the system's error. */
  record(type: string, fields: object): void;
}

/** Makes the access to `actions.jsonl`. */
export function createActions(paths: Pick<GatePaths, 'actions' | 'lock'>): Actions {
  const log = createChainedLog({ file: paths.actions, lock: paths.lock });
  return {
    record(type, fields) {
      log.append({ type, fields });
    },
  };
}
