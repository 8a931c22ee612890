import type { BodyMeta } from './pack-writer.ts';
import type { BodySource, Op, RecordOp, ToWorker } from './worker-protocol.ts';

/** An operation that still holds its bytes. */
export type OutgoingOp =
  | (Omit<RecordOp, 'bodies'> & {
      readonly sources: readonly (readonly [string, BodySource, Buffer | undefined])[];
    })
  | { readonly op: 'open'; readonly stream: number; readonly meta: BodyMeta }
  | { readonly op: 'data'; readonly stream: number; readonly bytes: Buffer };

/** Operations on their way to the worker, in order. */
export interface Outbox {
  /** Queues an operation and gives its number, counted from 1. */
  add(op: OutgoingOp): number;
  /** Everything queued so far must be flushed to the disk. */
  flush(): void;
  /** Somebody waits for this operation to be written. */
  wantWritten(op: number): void;
  /** The worker has written the operations up to this number. */
  written(upTo: number): void;
  /** Tells the worker to close after everything queued. */
  close(): void;
  /** Forgets what is queued: the writer has failed. */
  stop(): void;
  readonly empty: boolean;
}

interface Deps {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** Bytes posted and not yet written, at most; one operation may be larger. */
  readonly maxInFlight: number;
}

/** Bytes in one message, so that others' small pieces need not wait long behind a big one. */
const MAX_BATCH = 1024 * 1024;

/**
 * Collects the operations of one turn of the event loop into one message, and holds them back while too many
 * bytes are under way. What is held back keeps its promises waiting, and these stop the sockets.
 */
export function createOutbox(deps: Deps): Outbox {
  let queue: OutgoingOp[] = [];
  let last = 0;
  let posted = 0;
  let flushUpTo = 0;
  let writtenUpTo = 0;
  let scheduled = false;
  let closing = false;
  let stopped = false;
  let inFlight = 0;
  const batches: { readonly last: number; readonly bytes: number }[] = [];

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // After the sockets of this turn have been read: one message for all of them.
    setImmediate(() => {
      scheduled = false;
      send();
    });
  }

  function send(): void {
    while (queue.length > 0 && (inFlight === 0 || inFlight < deps.maxInFlight)) sendBatch();
    if (queue.length === 0 && closing) {
      closing = false;
      deps.post({ kind: 'close' }, []);
    }
  }

  function sendBatch(): void {
    let bytes = 0;
    let count = 0;
    for (const op of queue) {
      const size = sizeOf(op);
      if (count > 0 && bytes + size > MAX_BATCH) break;
      bytes += size;
      count += 1;
    }
    const { ops, arena } = pack(queue.splice(0, count), bytes);
    const flush = flushUpTo > posted;
    // An acknowledgement costs as much as a write: without need, the flush's has to do.
    const acknowledge = !flush || writtenUpTo > posted;
    posted += count;
    inFlight += bytes;
    batches.push({ last: posted, bytes });
    deps.post({ kind: 'batch', ops, last: posted, bytes: arena, flush, acknowledge }, [arena]);
  }

  return {
    add(op) {
      last += 1;
      if (stopped) return last;
      queue.push(op);
      schedule();
      return last;
    },
    flush() {
      if (flushUpTo === last) return;
      flushUpTo = last;
      if (queue.length === 0) deps.post({ kind: 'flush' }, []);
    },
    wantWritten(op) {
      writtenUpTo = Math.max(writtenUpTo, op);
    },
    written(upTo) {
      for (let batch = batches[0]; batch !== undefined && batch.last <= upTo; batch = batches[0]) {
        inFlight -= batch.bytes;
        batches.shift();
      }
      if (queue.length > 0 && !scheduled) send();
    },
    close() {
      closing = true;
      schedule();
    },
    stop() {
      stopped = true;
      queue = [];
    },
    get empty() {
      return queue.length === 0 && batches.length === 0;
    },
  };
}

function sizeOf(op: OutgoingOp): number {
  if (op.op === 'data') return op.bytes.length;
  if (op.op === 'open') return 0;
  return op.sources.reduce((sum, [, , bytes]) => sum + (bytes?.length ?? 0), op.fields.length);
}

/** Copies the bytes of many operations into one buffer that can be handed over: the senders still need theirs. */
function pack(queued: readonly OutgoingOp[], size: number): { ops: Op[]; arena: ArrayBuffer } {
  const arena = new ArrayBuffer(size);
  const target = Buffer.from(arena);
  let end = 0;
  const place = (bytes: Buffer): { at: number; length: number } => {
    const at = end;
    bytes.copy(target, at);
    end += bytes.length;
    return { at, length: bytes.length };
  };
  const ops = queued.map((op): Op => {
    if (op.op === 'open') return op;
    if (op.op === 'data') return { op: 'data', stream: op.stream, ...place(op.bytes) };
    const { sources, ...record } = op;
    const bodies = sources.map(([name, source, bytes]): [string, BodySource] => [
      name,
      source.kind === 'whole' && bytes !== undefined ? { ...source, ...place(bytes) } : source,
    ]);
    return { ...record, bodies };
  });
  return { ops, arena };
}
