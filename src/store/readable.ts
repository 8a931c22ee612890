import { accessSync, constants, statSync } from 'node:fs';
import { codeOf, messageOf } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';

/** A run whose files cannot be read now: what is new in it is missing until they can. */
export interface UnreadableRun {
  readonly run: RunId;
  readonly reason: string;
}

/**
 * Why the files of a run cannot be read now, in the system's words: as a rule they were made with sudo. Undefined
 * where they can be, and where they are not there.
 */
export function whyUnreadable(files: { readonly ledger: string; readonly pack: string }): string | undefined {
  for (const file of [files.ledger, files.pack]) {
    try {
      accessSync(file, constants.R_OK);
      if (!statSync(file).isFile()) return `${file} is no file`;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return messageOf(error);
    }
  }
  return undefined;
}
