import { createFlush } from './flusher.ts';

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
  onDurable(): void;
  onError(error: Error): void;
}

/**
 * One flush at a time, of the pack and then of the ledger, so that a durable record never names bytes that are
 * not. Requests that come meanwhile wait for the next. After an error nothing more is flushed: the kernel may
 * have dropped the pages, and a second attempt would report success (https://lwn.net/Articles/752063/).
 */
export function createGroupCommit(deps: Deps): GroupCommit {
  const flushFile = createFlush();
  const dirty = { pack: false, ledger: false };
  let written = 0;
  let wanted = 0;
  let durable = 0;
  let running = false;
  let failed = false;
  let waiting: (() => void)[] = [];

  function flush(file: 'pack' | 'ledger', next: () => void): void {
    if (!dirty[file]) {
      next();
      return;
    }
    dirty[file] = false;
    flushFile(deps[file], (error) => {
      if (error === null) next();
      else fail(error);
    });
  }

  function fail(error: Error): void {
    failed = true;
    running = false;
    deps.onError(error);
    settle();
  }

  function start(): void {
    const upTo = written;
    flush('pack', () =>
      flush('ledger', () => {
        durable = upTo;
        running = false;
        deps.onDurable();
        if (wanted > durable) start();
        else settle();
      }),
    );
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
      if (running || failed || wanted <= durable) return;
      running = true;
      // After the messages that are already here: one flush for all of them.
      setImmediate(start);
    },
    idle: () => (running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    get durable() {
      return durable;
    },
  };
}
