import type { RunId } from '../core/ids.ts';

/** What a check can find. Stable names: scripts may rely on them. */
export type FindingKind =
  // the lines of a chained file
  | 'torn_tail'
  | 'damaged_line'
  | 'edited_line'
  | 'removed_lines'
  | 'moved_line'
  | 'inserted_line'
  // the file against heads.jsonl
  | 'truncated'
  | 'appended'
  | 'head_mismatch'
  | 'no_head'
  | 'interrupted'
  | 'running'
  | 'pruned'
  | 'signature_missing'
  | 'signature_wrong'
  // files and bodies
  | 'missing_run'
  | 'missing_ledger'
  | 'missing_pack'
  | 'pack_truncated'
  | 'pack_appended'
  | 'body_missing'
  | 'body_damaged'
  | 'body_changed'
  | 'unreadable';

/**
 * One thing that a check found. `error`: the record was changed or lost; `warning`: it cannot be told; `note`:
 * an explained irregularity (a killed run, one that is going on).
 */
export interface Finding {
  readonly level: 'error' | 'warning' | 'note';
  readonly kind: FindingKind;
  readonly file: 'ledger' | 'pack' | 'heads' | 'actions' | 'run';
  readonly run?: RunId;
  /** Line of the file, counted from 1 as editors do. */
  readonly line?: number;
  readonly message: string;
}

/** A finding without what the caller adds: the run and the file. */
export type LineFinding = Omit<Finding, 'file' | 'run'>;
