import { fdatasync, fstatSync } from 'node:fs';
import { syncDirLater } from './files.ts';

/** Makes what was written durable, many requests at a time. */
export interface GroupCommit {
  /** Bytes went to the pack or the ledger, up to this operation. */
  wrote(upTo: number, dirty: { readonly pack: boolean; readonly ledger: boolean }): void;
  /** Everything written so far must become durable. */
  request(): void;
  /** Resolves when no commit runs and none is due. */
  idle(): Promise<void>;
  readonly durable: number;
}

interface Deps {
  readonly pack: number;
  readonly ledger: number;
  /** Folders whose names become durable with the first commit. */
  readonly dirs: readonly string[];
  onDurable(): void;
  onError(error: Error): void;
}

type Flush = (done: (error: Error | null) => void) => void;

/**
 * One commit at a time; requests that come meanwhile wait for the next. Pack and ledger are flushed together, since
 * one write of the file system's journal then often serves both, and count only when both have come back. After an
 * error nothing more is flushed: the kernel may have dropped the pages, and a second attempt would report success
 * (https://lwn.net/Articles/752063/).
 */
export function createGroupCommit(deps: Deps): GroupCommit {
  const dirty = { pack: false, ledger: false };
  let first: Flush[] = deps.dirs.map((dir) => (done) => syncDirLater(dir, done));
  let written = 0;
  let wanted = 0;
  let durable = 0;
  let running = false;
  let failure: Error | undefined;
  let waiting: (() => void)[] = [];

  function due(): Flush[] {
    const flushes = first;
    first = [];
    for (const file of ['pack', 'ledger'] as const) {
      if (dirty[file]) flushes.push((done) => fdatasync(deps[file], done));
      dirty[file] = false;
    }
    return flushes;
  }

  function start(): void {
    running = true;
    const upTo = written;
    const flushes = due();
    let left = flushes.length;
    if (left === 0) finish(upTo);
    for (const flush of flushes) {
      flush((error) => {
        failure ??= error ?? undefined;
        left -= 1;
        if (left === 0) finish(upTo);
      });
    }
  }

  /** A removed file takes writes and flushes as ever, and keeps nothing. */
  function gone(): Error | undefined {
    const isGone = [deps.pack, deps.ledger].some((fd) => fstatSync(fd).nlink === 0);
    return isGone ? new Error("the run's files were removed") : undefined;
  }

  /** Nothing uses the descriptors any more: they may be closed from here on. */
  function finish(upTo: number): void {
    running = false;
    failure ??= gone();
    if (failure === undefined) {
      durable = upTo;
      deps.onDurable();
      if (wanted > durable && !running) start();
    } else {
      deps.onError(failure);
    }
    if (!running) settle();
  }

  function settle(): void {
    const ready = waiting;
    waiting = [];
    for (const resolve of ready) resolve();
  }

  return {
    wrote(upTo, made) {
      written = upTo;
      dirty.pack ||= made.pack;
      dirty.ledger ||= made.ledger;
    },
    request() {
      wanted = written;
      if (!running && failure === undefined && wanted > durable) start();
    },
    idle: () => (running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    get durable() {
      return durable;
    },
  };
}
