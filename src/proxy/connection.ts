import type { Socket } from 'node:net';
import type tls from 'node:tls';
import type { Recorder } from '../core/exchange.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Policy } from '../core/policy.ts';
import { Cancel } from './cancel.ts';
import type { Hop, Names } from './claim.ts';
import type { Limits } from './limits.ts';
import type { Upstream } from './upstream-call.ts';
import { Wire } from './wire.ts';

/** Gives the TLS identity for a host; cached by whoever mints it. */
export interface Certificates {
  contextFor(host: string): tls.SecureContext;
}

export interface ConnectionDeps {
  readonly recorder: Recorder;
  readonly policy: Policy;
  readonly names: Names;
  readonly certificates: Certificates;
  readonly upstream: Upstream;
  readonly limits: Limits;
  /** Told of errors that are gate's own; nothing is expected here. */
  readonly onBug: (error: unknown) => void;
}

/** One client connection: what runs on it, so that its end (the client's or gate's) reaches all of it. */
export class Connection {
  readonly deps: ConnectionDeps;
  stopping = false;
  readonly #raw: Socket;
  readonly #running = new Set<Cancel>();
  readonly #whenIdle: (() => void)[] = [];
  #wire: Wire;

  constructor(deps: ConnectionDeps, socket: Socket) {
    this.deps = deps;
    this.#raw = socket;
    this.#wire = this.use(socket);
  }

  get wire(): Wire {
    return this.#wire;
  }

  /** Makes a socket (the accepted one, later the TLS one on top of it) the connection's wire. */
  use(socket: Socket): Wire {
    const wire = new Wire(socket, this.#raw);
    wire.onGone = () => this.#stopAll('client_aborted');
    this.#wire = wire;
    return wire;
  }

  /** Registers work on this connection. */
  begin(): Cancel {
    const cancel = new Cancel();
    this.#running.add(cancel);
    if (this.stopping) cancel.stop('gate_stopped');
    else if (this.#wire.gone) cancel.stop('client_aborted');
    return cancel;
  }

  finish(cancel: Cancel): void {
    this.#running.delete(cancel);
    if (this.idle) for (const tell of this.#whenIdle.splice(0)) tell();
  }

  /** Whether nothing runs on this connection. */
  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves once nothing runs any more: every end is recorded then. */
  settled(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends everything on this connection; each piece of work still records its end. */
  stop(): void {
    this.stopping = true;
    if (this.#running.size === 0) this.#raw.destroy();
    this.#stopAll('gate_stopped');
    // What was said last gets its time to leave; a client that then does not end its side is not waited for.
    const cut = setTimeout(() => this.#raw.destroy(), 2 * this.deps.limits.lingerMs);
    this.#raw.once('close', () => clearTimeout(cut));
  }

  /** Records what ended before there was a request. */
  refuse(
    proto: string,
    hop: Hop,
    reason: string,
    more: { readonly host?: string; readonly alert?: string | undefined } = {},
  ): void {
    const host = more.host ?? hop.name ?? hop.sni;
    this.deps.recorder.refused({
      proto,
      reason,
      ...(more.alert === undefined ? {} : { alert: more.alert }),
      ...(host === undefined ? {} : { host }),
      ...(hop.address === undefined ? {} : { address: hop.address }),
      ...(hop.port === undefined ? {} : { port: hop.port }),
    });
  }

  #stopAll(outcome: Outcome): void {
    for (const cancel of [...this.#running]) cancel.stop(outcome);
  }
}
