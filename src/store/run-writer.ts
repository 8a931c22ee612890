import { closeSync, constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createDeferred } from '../core/deferred.ts';
import { GateError, messageOf } from '../core/errors.ts';
import { innerJson } from './chain.ts';
import { appendAll, appendPieces, makePrivateDir } from './files.ts';
import { createGroupCommit } from './group-commit.ts';
import { type BodyMeta, DIRECT_BYTES } from './pack-writer.ts';
import { type BodyInput, createRunFiles } from './run-files.ts';
import type { RunHead } from './run-head.ts';
import { createWaiters } from './waiters.ts';

/** A record on its way: its seq, and the number of the operation by which its promises are asked for. */
export interface Ticket {
  readonly seq: number;
  readonly op: number;
}

/** Writes one run's two files. Every promise rejects once the writer has failed. */
export interface RunWriter {
  /** The seq that the next record will get. */
  readonly nextSeq: number;
  /** Adds a record. Of the bytes given here and below nothing is kept. */
  append(type: string, fields: object, bodies?: Readonly<Record<string, BodyInput>>): Ticket;
  /** Puts what is pending into the files before it returns: somebody waits for it. */
  push(): void;
  /** Opens a body whose bytes come in pieces; gives the number of the stream. */
  openBody(meta: BodyMeta): number;
  /** Adds a piece; gives the number of the operation. */
  data(stream: number, bytes: Buffer): number;
  /** Resolves when the operation's bytes are in the files. */
  written(op: number): Promise<void>;
  /** Resolves when they are flushed to the disk. */
  durable(op: number): Promise<void>;
  /** Writes what is pending, flushes and closes the files. */
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
}

/** Creates the files of a run. Throws GateError `audit_unavailable` when they cannot be created. */
export function openRun(options: OpenRunOptions): RunWriter {
  return createWriter(createFiles(options), [options.dir, dirname(options.dir)]);
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

/** What is pending is written at the latest when it has come to this: bytes of that length are nobody's copy. */
const MAX_PENDING = DIRECT_BYTES;

/**
 * Writes on the thread that asks: an append to the page cache takes microseconds, and handing it to another thread
 * and back would take many times that from every piece of a stream. Only the flushes, which wait for the disk, are
 * done elsewhere. A disk that takes no more bytes stops the thread, and so the sockets.
 */
function createWriter(fds: Files, dirs: readonly string[]): RunWriter {
  const files = createRunFiles();
  const waiters = createWaiters();
  const listeners: ((failure: GateError) => void)[] = [];
  const closing = createDeferred<RunHead>();
  const opened = [fds.ledger, fds.pack];
  let failure: GateError | undefined;
  let isOpen = true;
  let nextSeq = 0;
  let nextStream = 0;
  let last = 0;
  let written = 0;
  let due: NodeJS.Immediate | undefined;
  let flushWanted = false;

  const commit = createGroupCommit({
    ...fds,
    dirs,
    onDurable: () => waiters.ack({ written, durable: commit.durable }),
    onError: (error) => fail(error),
  });

  function fail(cause: unknown): void {
    if (failure !== undefined) return;
    failure = cause instanceof GateError ? cause : auditUnavailable(messageOf(cause), cause);
    isOpen = false;
    waiters.fail(failure);
    closing.reject(failure);
    for (const listener of listeners.splice(0)) listener(failure);
    // A flush that is under way still needs the descriptors. What closing them says comes after the failure told.
    void commit.idle().then(release, () => undefined);
  }

  function release(): Error | undefined {
    let failed: Error | undefined;
    for (const fd of opened.splice(0)) {
      try {
        closeSync(fd);
      } catch (error) {
        failed ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    return failed;
  }

  /** Does one operation; after the first error none: half a line may stand at the end of a file then. */
  function submit(operate: () => void): number {
    last += 1;
    if (!isOpen) fail(auditUnavailable('a record came after the end of the run'));
    if (failure !== undefined) return last;
    attempt(() => {
      operate();
      if (files.pending >= MAX_PENDING) write();
      else schedule();
    });
    return last;
  }

  function attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      fail(error);
    }
  }

  /** After the sockets of this turn have been read: one write for all that they gave, and one flush. */
  function schedule(): void {
    due ??= setImmediate(() => {
      due = undefined;
      if (failure === undefined) attempt(settle);
    });
  }

  function settle(): void {
    write();
    if (!flushWanted) return;
    flushWanted = false;
    commit.request();
  }

  function write(): void {
    if (!flushWanted) {
      clearImmediate(due);
      due = undefined;
    }
    const { pack, ledger } = files.take();
    if (pack.length > 0) appendPieces(fds.pack, pack);
    if (ledger !== '') appendAll(fds.ledger, Buffer.from(ledger));
    written = last;
    commit.wrote(written, { pack: pack.length > 0, ledger: ledger !== '' });
    waiters.ack({ written, durable: commit.durable });
  }

  async function finish(): Promise<void> {
    isOpen = false;
    flushWanted = true;
    settle();
    await commit.idle();
    if (failure !== undefined) return;
    const failed = release();
    if (failed === undefined) closing.resolve(files.head());
    else fail(failed);
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
      const at = new Date().toISOString();
      return { seq, op: submit(() => files.record({ seq, type, at }, innerJson(fields), bodies)) };
    },
    push() {
      if (failure === undefined) attempt(write);
    },
    openBody(meta) {
      const stream = nextStream;
      nextStream += 1;
      submit(() => files.open(stream, meta));
      return stream;
    },
    data: (stream, bytes) => submit(() => files.data(stream, bytes)),
    written: (op) => promise(() => waiters.written(op)),
    durable: (op) =>
      promise(() => {
        if (op > commit.durable) {
          flushWanted = true;
          schedule();
        }
        return waiters.durable(op);
      }),
    close() {
      if (isOpen) finish().catch(fail);
      return closing.promise;
    },
    onFailure(listener) {
      if (failure === undefined) listeners.push(listener);
      else listener(failure);
    },
  };
}
