import { closeSync, constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { GateError, messageOf } from '../core/errors.ts';
import { innerJson } from './chain.ts';
import { makePrivateDir } from './files.ts';
import { createOutbox, type OutgoingOp } from './outbox.ts';
import type { BodyMeta } from './pack-writer.ts';
import { createWaiters } from './waiters.ts';
import { startStoreWorker } from './worker-entry.ts';
import type { BodySource, FromWorker, RunHead, ToWorker, WorkerSetup } from './worker-protocol.ts';

/** A body that goes with a record: whole, or one that was opened before and ends with this record. */
export type BodyInput =
  | { readonly kind: 'whole'; readonly meta: BodyMeta; readonly bytes: Buffer }
  | { readonly kind: 'open'; readonly stream: number; readonly incomplete?: boolean };

/** A record on its way: its seq, and the number of the operation by which its promises are asked for. */
export interface Ticket {
  readonly seq: number;
  readonly op: number;
}

/** Writes one run's two files through the store worker. Every promise rejects once the writer has failed. */
export interface RunWriter {
  /** The seq that the next record will get. */
  readonly nextSeq: number;
  /** Adds a record. Bytes may not be changed before the operation is written. */
  append(type: string, fields: object, bodies?: Readonly<Record<string, BodyInput>>): Ticket;
  /** Opens a body whose bytes come in pieces; gives the number of the stream. */
  openBody(meta: BodyMeta): number;
  /** Adds a piece; gives the number of the operation. The bytes may not be changed before it is written. */
  data(stream: number, bytes: Buffer): number;
  /** Resolves when the operation's bytes are in the files. */
  written(op: number): Promise<void>;
  /** Resolves when they are flushed to the disk. */
  durable(op: number): Promise<void>;
  /** Writes what is pending, flushes, closes the files and stops the worker. */
  close(): Promise<RunHead>;
  /** Why nothing more can be written, once that is so. */
  readonly failure: GateError | undefined;
  /** Calls once when the writer fails; at once if it has. */
  onFailure(listener: (failure: GateError) => void): void;
}

export interface OpenRunOptions {
  /** The run's folder and files (`runPaths`). The folder must not hold a run yet. */
  readonly dir: string;
  readonly ledger: string;
  readonly pack: string;
  /** Bytes handed to the worker and not yet written, at most. Default 16 MiB. */
  readonly maxInFlight?: number;
}

/**
 * Creates the files of a run and starts the worker that owns them. Throws GateError `audit_unavailable` when
 * they cannot be created.
 */
export function openRun(options: OpenRunOptions): RunWriter {
  const files = createFiles(options);
  const setup: WorkerSetup = { ...files, dirs: [options.dir, dirname(options.dir)] };
  return connect(startStoreWorker(setup), files, options.maxInFlight ?? 16 * 1024 * 1024);
}

/** The error that every promise of a failed writer rejects with. */
export function auditUnavailable(reason: string, cause?: unknown): GateError {
  return new GateError('audit_unavailable', `the audit trail cannot be written: ${reason}`, {
    hint: 'Free space or repair the disk, then start the run again: gate doctor',
    cause,
  });
}

interface Files {
  readonly ledger: number;
  readonly pack: number;
}

function createFiles(options: OpenRunOptions): Files {
  // Exclusive, so that no run is ever written over; appending, so that no write can land on earlier bytes.
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL;
  const opened: number[] = [];
  try {
    makePrivateDir(options.dir);
    const ledger = openSync(options.ledger, flags, 0o600);
    opened.push(ledger);
    return { ledger, pack: openSync(options.pack, flags, 0o600) };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw auditUnavailable(messageOf(error), error);
  }
}

/** After the worker's end, whatever it was: nobody uses the descriptors any more. */
function closeFiles(files: Files): void {
  closeSync(files.ledger);
  closeSync(files.pack);
}

/** Where the writer stands: after `closed` nothing can be added, and the worker's end is no failure. */
type State = 'open' | 'closing' | 'closed';

function connect(worker: Worker, files: Files, maxInFlight: number): RunWriter {
  const waiters = createWaiters();
  const listeners: ((failure: GateError) => void)[] = [];
  let state: State = 'open';
  let failure: GateError | undefined;
  let nextSeq = 0;
  let nextStream = 0;
  const closing = createDeferred<RunHead>();

  const post = (message: ToWorker, transfer: ArrayBuffer[]): void => {
    if (failure === undefined) worker.postMessage(message, transfer);
  };
  const outbox = createOutbox({ post, maxInFlight });

  function fail(reason: string, cause?: unknown): void {
    if (failure !== undefined) return;
    failure = auditUnavailable(reason, cause);
    outbox.stop();
    waiters.fail(failure);
    closing.reject(failure);
    for (const listener of listeners.splice(0)) listener(failure);
    // It has nothing more to say, and its own end releases the files.
    worker.terminate().catch(() => undefined);
  }

  function receive(message: FromWorker): void {
    if (message.kind === 'failed') fail(message.message, message);
    else if (message.kind === 'ack') acknowledge(message);
    else {
      state = 'closed';
      closing.resolve(message.head);
    }
  }

  function acknowledge(upTo: { readonly written: number; readonly durable: number }): void {
    outbox.written(upTo.written);
    waiters.ack(upTo);
    // An idle worker must not keep the program alive; one with work to do must.
    if (waiters.empty && outbox.empty && state === 'open') worker.unref();
  }

  worker.on('message', receive);
  worker.on('error', (error) => fail(`the store worker died: ${messageOf(error)}`, error));
  worker.on('exit', () => {
    closeFiles(files);
    if (state !== 'closed') fail('the store worker is gone');
  });
  worker.unref();

  function submit(op: OutgoingOp): number {
    if (state !== 'open') fail('a record came after the end of the run');
    worker.ref();
    return outbox.add(op);
  }

  function promise(wait: () => Promise<void>): Promise<void> {
    return failure === undefined ? wait() : Promise.reject(failure);
  }

  return {
    get nextSeq() {
      return nextSeq;
    },
    get failure() {
      return failure;
    },
    append(type, fields, bodies = {}) {
      const seq = nextSeq;
      nextSeq += 1;
      const sources = Object.entries(bodies).map(([name, input]) => sourceOf(name, input));
      const at = new Date().toISOString();
      return { seq, op: submit({ op: 'record', seq, type, at, fields: innerJson(fields), sources }) };
    },
    openBody(meta) {
      const stream = nextStream;
      nextStream += 1;
      submit({ op: 'open', stream, meta });
      return stream;
    },
    data: (stream, bytes) => submit({ op: 'data', stream, bytes }),
    written: (op) =>
      promise(() => {
        outbox.wantWritten(op);
        return waiters.written(op);
      }),
    durable: (op) =>
      promise(() => {
        outbox.flush();
        return waiters.durable(op);
      }),
    close() {
      if (state === 'open' && failure === undefined) {
        state = 'closing';
        worker.ref();
        outbox.close();
      }
      return closing.promise;
    },
    onFailure(listener) {
      if (failure === undefined) listeners.push(listener);
      else listener(failure);
    },
  };
}

function sourceOf(name: string, input: BodyInput): [string, BodySource, Buffer | undefined] {
  if (input.kind === 'open') {
    const { stream, incomplete = false } = input;
    return [name, { kind: 'open', stream, incomplete }, undefined];
  }
  return [name, { kind: 'whole', meta: input.meta, at: 0, length: input.bytes.length }, input.bytes];
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function createDeferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever never closes must not be told of the failure as an unhandled rejection.
  promise.catch(() => undefined);
  return {
    promise,
    resolve: (value) => settle?.resolve(value),
    reject: (error) => settle?.reject(error),
  };
}
