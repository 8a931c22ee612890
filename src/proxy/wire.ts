import type { Socket } from 'node:net';
import { drained } from './drained.ts';
import { WireError } from './errors.ts';

/** Received bytes kept unread before the socket is paused. */
const HIGH_WATER = 256 * 1024;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: WireError) => void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * One connection, read by pulling and written with backpressure. The socket flows into a bounded queue even when
 * nobody reads, so that a peer that leaves is noticed while its answer is still being made.
 */
export class Wire {
  readonly socket: Socket;
  /** Called once, when the peer has said its last byte or the socket has died. */
  onGone: (() => void) | undefined;
  /** Bytes that ever arrived. */
  received = 0;
  readonly #raw: Socket;
  #queue: Buffer[] = [];
  #queued = 0;
  #ended = false;
  #failure: WireError | undefined;
  #gone = false;
  #discarding = false;
  #waiter: Waiter | undefined;

  /** `raw` is the TCP socket below a TLS socket: only that one can be reset. */
  constructor(socket: Socket, raw: Socket = socket) {
    this.socket = socket;
    this.#raw = raw;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    // What another reader gave back (`detach`) stands still.
    if (socket.isPaused()) socket.resume();
  }

  /** Whether the peer can no longer be read from. Bytes that came before may still be in the queue. */
  get gone(): boolean {
    return this.#gone;
  }

  /** What broke the connection, if anything did. */
  get failure(): WireError | undefined {
    return this.#failure;
  }

  get buffered(): number {
    return this.#queued;
  }

  /** What has arrived and was not read, or undefined. */
  take(): Buffer | undefined {
    const [first] = this.#queue;
    if (first === undefined) return undefined;
    const chunk = this.#queue.length === 1 ? first : Buffer.concat(this.#queue, this.#queued);
    this.#queue = [];
    this.#queued = 0;
    if (!this.#ended && this.socket.isPaused()) this.socket.resume();
    return chunk;
  }

  /** The next bytes, or undefined once the peer has ended. Rejects with a {@link WireError}; `stallMs` bounds the wait. */
  read(stallMs?: number): Promise<Buffer | undefined> {
    const chunk = this.take();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(undefined);
    const waiting = new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, timer: undefined };
      if (stallMs !== undefined) waiter.timer = setTimeout(() => this.#onStall(waiter, stallMs), stallMs);
      this.#waiter = waiter;
    });
    // TLS gives 16 kB at a time; all that came in this turn is taken as one piece, which is recorded with one wait.
    return waiting.then(() => this.take());
  }

  /** Puts bytes back in front of what follows. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#queue.unshift(chunk);
    this.#queued += chunk.length;
  }

  /** Writes; returns undefined when more may follow at once, else a promise that rejects when the peer never takes it. */
  write(chunk: Buffer, stallMs?: number): Promise<void> | undefined {
    if (this.socket.destroyed || this.socket.writableEnded) return Promise.reject(this.#brokenNow());
    if (this.socket.write(chunk)) return undefined;
    return drained(this.socket, { stallMs, broken: () => this.#brokenNow() });
  }

  /** Ends our side cleanly, after everything written. */
  end(): void {
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.end();
  }

  /** Cuts the connection so that the peer cannot take what it has for the whole: TCP reset. */
  reset(): void {
    if (this.#raw.destroyed) {
      this.socket.destroy();
      return;
    }
    this.#raw.resetAndDestroy();
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /**
   * Ends our side and lets the peer end its own, dropping what it still sends: closing with unread bytes would reset
   * the connection, and the peer could lose the answer it was given (RFC 9112 §9.6). Cut after `ms`.
   */
  async linger(ms: number): Promise<void> {
    this.end();
    if (!this.#gone) {
      this.#discarding = true;
      this.take();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.onGone = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.socket.destroy();
  }

  /** Gives the socket back, paused, with everything unread in it, for another reader. */
  detach(): Socket {
    this.socket.off('data', this.#onData);
    this.socket.off('end', this.#onEnd);
    this.socket.off('close', this.#onClose);
    this.socket.pause();
    for (const chunk of this.#queue.reverse()) this.socket.unshift(chunk);
    this.#queue = [];
    this.#queued = 0;
    return this.socket;
  }

  #onData = (chunk: Buffer): void => {
    this.received += chunk.length;
    const waiter = this.#claimWaiter();
    if (waiter === undefined && this.#discarding) return;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    waiter?.resolve();
    if (this.#queued >= HIGH_WATER) this.socket.pause();
  };

  #onEnd = (): void => {
    this.#ended = true;
    this.#claimWaiter()?.resolve();
    this.#tellGone();
  };

  #onError = (error: Error): void => {
    this.#failure ??= new WireError('broken', error.message, error);
  };

  #onClose = (): void => {
    if (!this.#ended) this.#failure ??= this.#brokenNow();
    const waiter = this.#claimWaiter();
    if (waiter !== undefined && this.#failure !== undefined) waiter.reject(this.#failure);
    this.#tellGone();
  };

  #onStall(waiter: Waiter, stallMs: number): void {
    if (this.#waiter !== waiter) return;
    this.#waiter = undefined;
    waiter.reject(new WireError('stalled', `nothing came for ${stallMs} ms`));
  }

  #claimWaiter(): Waiter | undefined {
    const waiter = this.#waiter;
    if (waiter === undefined) return undefined;
    this.#waiter = undefined;
    clearTimeout(waiter.timer);
    return waiter;
  }

  #tellGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.onGone?.();
  }

  #brokenNow(): WireError {
    return this.#failure ?? new WireError('broken', 'the connection is closed');
  }
}
