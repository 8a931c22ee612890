import type { BodyMeta } from './pack-writer.ts';

/** What the run writer (main thread) and the store worker say to each other. */

/** Where a record's body comes from: bytes of the batch, or an open body that ends here. */
export type BodySource =
  | { readonly kind: 'whole'; readonly meta: BodyMeta; readonly at: number; readonly length: number }
  | { readonly kind: 'open'; readonly stream: number; readonly incomplete: boolean };

export interface RecordOp {
  readonly op: 'record';
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  /** The inside of the record's JSON object, without envelope and bodies. */
  readonly fields: string;
  /** Field name and source, in order. */
  readonly bodies: readonly (readonly [string, BodySource])[];
}

export type Op =
  | RecordOp
  | { readonly op: 'open'; readonly stream: number; readonly meta: BodyMeta }
  | { readonly op: 'data'; readonly stream: number; readonly at: number; readonly length: number };

/** The operations of one turn of the main thread's loop. */
export interface Batch {
  readonly kind: 'batch';
  readonly ops: readonly Op[];
  /** Number of the last operation, counted from 1 since the run began. */
  readonly last: number;
  /** The bytes that the operations name by place and length. */
  readonly bytes: ArrayBuffer;
  readonly flush: boolean;
  /** Say at once that it is written; else the next flush says it. */
  readonly acknowledge: boolean;
}

export type ToWorker = Batch | { readonly kind: 'flush' } | { readonly kind: 'close' };

/** How a run's files stood when they were closed, or were found. */
export interface RunHead {
  readonly records: number;
  /** SHA-256 of the last line. */
  readonly head: string;
  readonly packBytes: number;
}

export type FromWorker =
  | { readonly kind: 'ack'; readonly written: number; readonly durable: number }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'closed'; readonly head: RunHead };

/** What the worker is started with. The descriptors are open for appending; the main thread closes them after
 * the worker's end. */
export interface WorkerSetup {
  readonly ledger: number;
  readonly pack: number;
  /** Folders whose names must be durable: the run's, and the one that holds it. */
  readonly dirs: readonly string[];
}
