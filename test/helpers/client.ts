import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { expect } from 'vitest';
import { PATIENCE_MS, witnessed } from './other-proxy.ts';

/** A client of the test: raw bytes out, everything received kept. */
export class Client {
  readonly socket: Socket;
  closed: 'no' | 'ended' | 'reset' = 'no';
  #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('end', () => {
      if (this.closed === 'no') this.closed = 'ended';
    });
    socket.on('error', () => {
      if (this.closed === 'no') this.closed = 'reset';
    });
    socket.on('close', () => {
      if (this.closed === 'no') this.closed = 'reset';
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Resolves with everything received once it matches. */
  async saw(what: string | RegExp, ms = PATIENCE_MS): Promise<string> {
    const deadline = Date.now() + ms;
    for (;;) {
      const { text } = this;
      if (typeof what === 'string' ? text.includes(what) : what.test(text)) return witnessed(text);
      if (Date.now() > deadline)
        throw new Error(`the client did not see ${what}; it saw: ${text.slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Resolves with what came from this offset on, once it holds a whole head, or nothing more can come. */
  async answer(from = 0): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const text = this.text.slice(from);
      if (text.includes('\r\n\r\n') || this.closed !== 'no') return witnessed(text);
      if (Date.now() > deadline) throw new Error(`the client saw no answer; it saw: ${text.slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Resolves with everything received once the connection is over. */
  async over(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.closed === 'no') {
      if (Date.now() > deadline) throw new Error(`still open; the client saw: ${this.text.slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return witnessed(this.text);
  }

  /** Talks TLS from here on. */
  async secure(options: tls.ConnectionOptions): Promise<Client> {
    this.socket.removeAllListeners('data');
    const secured = tls.connect({ socket: this.socket, ...options });
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve);
      secured.once('error', reject);
    });
    return new Client(secured);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Connects to a port of this machine. */
export async function connectClient(port: number): Promise<Client> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  const client = new Client(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** Lets everything that is on its way arrive: long enough for loopback, short enough for a suite. */
export function settle(ms = 60): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a number has not changed for a while: all that could move on its own has. */
export async function still(value: () => number, ms = 250): Promise<void> {
  for (let before = Number.NaN; before !== value(); ) {
    before = value();
    await settle(ms);
  }
}

/** Waits for something, a bounded time. */
export async function within<T>(coming: Promise<T>, what: string): Promise<T> {
  const late = new Promise<never>((_resolve, reject) =>
    setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE_MS).unref(),
  );
  return Promise.race([coming, late]);
}

/** What comes from this offset on is a refusal: a 4xx, or an end without a word. A 5xx says that the proxy tried. */
export async function refused(client: Client, from = 0): Promise<void> {
  const text = await client.answer(from);
  if (text !== '' || client.closed === 'no') expect(text, 'is no refusal').toMatch(/^HTTP\/1\.[01] 4\d\d /);
}
