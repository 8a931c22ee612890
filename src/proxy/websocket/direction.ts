import type { ExchangeRecorder } from '../../core/exchange.ts';
import { AuditError, audited, WireError } from '../errors.ts';
import type { Wire } from '../wire.ts';
import { type FrameHead, FrameParser, isControl, OPCODE } from './frames.ts';
import type { MessageInflater } from './inflate.ts';

/** A message that is not complete is held for this long, in milliseconds; then what is there is recorded and goes on. */
const HOLD_MS = 50;
/** And not beyond this size: a longer message is recorded in parts. */
const MAX_HELD = 16 * 1024 * 1024;

export interface DirectionOptions {
  readonly side: 'client' | 'server';
  readonly from: Wire;
  readonly to: Wire;
  readonly recorder: Pick<ExchangeRecorder, 'message'>;
  /** Where compression was negotiated. */
  readonly inflater: MessageInflater | undefined;
}

interface Part {
  readonly opcode: number;
  readonly compressed: boolean;
  readonly last: boolean;
  readonly payload: readonly Buffer[];
}

/**
 * One direction of a WebSocket. Frames go on exactly as they came, but no byte of a message before the message is
 * written. A message that takes long, or is very large, is written and passed on in parts: the later ones have
 * opcode 0, like the continuation frames of RFC 6455 §5.4.
 */
export class Direction {
  /** A Close frame has gone this way. */
  closed = false;
  /** The WebSocket is over: nothing more may be recorded or passed on. */
  stopped = false;
  readonly #options: DirectionOptions;
  readonly #parser: FrameParser;
  /** Parts that are complete, with the raw bytes up to their end. */
  #parts: Part[] = [];
  #ready: Buffer[] = [];
  /** Raw bytes after those, and the payload in them. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #heldSince = 0;
  #payload: Buffer[] = [];
  #control: Buffer[] = [];
  /** The message under way. */
  #message: { opcode: number; compressed: boolean } | undefined;
  #current: FrameHead | undefined;

  constructor(options: DirectionOptions) {
    this.#options = options;
    this.#parser = new FrameParser({
      head: (head, raw) => this.#onHead(head, raw),
      payload: (raw, plain) => this.#onPayload(raw, plain),
      end: (head) => this.#onEnd(head),
    });
  }

  /** Passes on until the sender ends. Rejects with what broke: the wires', the recorder's or the protocol's error. */
  async run(): Promise<void> {
    for (;;) {
      const chunk = await this.#next();
      if (this.stopped) return;
      if (chunk === undefined) break;
      if (chunk !== 'late') this.#parser.push(chunk);
      if (chunk === 'late' || this.#heldBytes > MAX_HELD) this.#cutPart();
      await this.#release();
    }
    this.#cutPart();
    await this.#release();
  }

  async #next(): Promise<Buffer | 'late' | undefined> {
    if (this.#heldBytes === 0) return this.#options.from.read();
    const left = this.#heldSince + HOLD_MS - performance.now();
    if (left <= 0) return 'late';
    try {
      return await this.#options.from.read(Math.ceil(left));
    } catch (error) {
      if (error instanceof WireError && error.kind === 'stalled') return 'late';
      throw error;
    }
  }

  #onHead(head: FrameHead, raw: Buffer): void {
    this.#current = head;
    this.#hold(raw);
    if (isControl(head) || head.opcode === OPCODE.continuation) return;
    this.#message = { opcode: head.opcode, compressed: head.rsv1 };
  }

  #onPayload(raw: Buffer, plain: Buffer): void {
    this.#hold(raw);
    const isOfConnection = this.#current !== undefined && isControl(this.#current);
    (isOfConnection ? this.#control : this.#payload).push(plain);
  }

  #onEnd(head: FrameHead): void {
    this.#current = undefined;
    if (isControl(head)) {
      this.#onControl(head);
      return;
    }
    if (!head.fin) return;
    this.#addPart(true);
    this.#message = undefined;
    this.#settleHeld();
  }

  #onControl(head: FrameHead): void {
    if (head.opcode === OPCODE.close) this.closed = true;
    // An empty ping or pong says nothing that could be kept.
    if (head.length > 0 || head.opcode === OPCODE.close) {
      this.#parts.push({ opcode: head.opcode, compressed: false, last: true, payload: this.#control });
    }
    this.#control = [];
    // Between the fragments of a message it waits with them, so that the order stays.
    if (this.#message === undefined) this.#settleHeld();
  }

  #addPart(last: boolean): void {
    const { opcode, compressed } = this.#message ?? { opcode: OPCODE.continuation, compressed: false };
    this.#parts.push({ opcode, compressed, last, payload: this.#payload });
    this.#payload = [];
    this.#message = { opcode: OPCODE.continuation, compressed };
  }

  /** Takes what there is of a message for a part of its own. */
  #cutPart(): void {
    if (this.#heldBytes === 0) return;
    if (this.#payload.length > 0) this.#addPart(false);
    // The payload of an unfinished control frame stays with its frame: it is small and comes at once.
    if (this.#control.length === 0) this.#settleHeld();
    else this.#heldSince = performance.now();
  }

  #hold(raw: Buffer): void {
    if (this.#heldBytes === 0) this.#heldSince = performance.now();
    this.#held.push(raw);
    this.#heldBytes += raw.length;
  }

  #settleHeld(): void {
    this.#ready.push(...this.#held);
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Writes the parts that are complete, then lets their bytes go on. */
  async #release(): Promise<void> {
    const { recorder, side, to } = this.#options;
    if (this.#ready.length === 0 || this.stopped) return;
    const ready = Buffer.concat(this.#ready);
    const written: Promise<void>[] = [];
    this.#ready = [];
    try {
      const parts = this.#parts.splice(0);
      for (const [index, part] of parts.entries()) {
        const bytes = await this.#decoded(part);
        if (this.stopped) return;
        written.push(recorder.message(side, part.opcode, bytes, index < parts.length - 1));
      }
    } catch (error) {
      throw new AuditError(error);
    }
    await audited(Promise.all(written));
    if (this.stopped) return;
    await to.write(ready);
  }

  async #decoded(part: Part): Promise<Buffer> {
    const bytes =
      part.payload.length === 1 && part.payload[0] ? part.payload[0] : Buffer.concat(part.payload);
    if (!part.compressed) return bytes;
    return (await this.#options.inflater?.decode(bytes, part.last)) ?? bytes;
  }
}
