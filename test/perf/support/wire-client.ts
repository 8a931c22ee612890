import net, { type Socket } from 'node:net';
import tls from 'node:tls';

/** Where to, and through what. */
export interface Way {
  readonly host: string;
  readonly originPort: number;
  readonly proxyPort: number | undefined;
}

/** What one exchange showed. */
export interface Seen {
  /** Milliseconds to the first byte of the answer. */
  readonly firstByteMs: number;
  /** The body as it came, transfer coding included; only where it was asked for. */
  readonly events: readonly number[];
}

/** A TLS connection to a host, by CONNECT where there is a proxy. Certificates are not looked at: the load is not the test. */
export async function connectTo({ host, originPort, proxyPort }: Way): Promise<Socket> {
  const raw = net.connect(proxyPort ?? originPort, '127.0.0.1');
  raw.setNoDelay(true);
  await once(raw, 'connect');
  if (proxyPort !== undefined) {
    raw.write(`CONNECT ${host}:${originPort} HTTP/1.1\r\nHost: ${host}:${originPort}\r\n\r\n`);
    await established(raw);
  }
  const secured = tls.connect({ socket: raw, servername: host, rejectUnauthorized: false });
  await once(secured, 'secureConnect');
  return secured;
}

/** Sends one request and reads its answer to the end. Rejects where it is not a 200 that came whole. */
export function exchange(socket: Socket, request: Buffer): Promise<Seen> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const answer = new Answer();
    let firstByteMs = 0;
    const settle = (tell: () => void): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.off('error', onError);
      tell();
    };
    const onData = (chunk: Buffer): void => {
      if (firstByteMs === 0) firstByteMs = performance.now() - started;
      try {
        if (answer.take(chunk)) settle(() => resolve({ firstByteMs, events: answer.events }));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onClose = (): void => settle(() => reject(new Error('the connection ended within an answer')));
    const onError = (error: Error): void => settle(() => reject(error));
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.on('error', onError);
    socket.write(request);
  });
}

/** Just enough of HTTP/1.1 to know where an answer of the benchmark's origin ends. */
class Answer {
  /** Milliseconds from each event's sending to its arrival. */
  readonly events: number[] = [];
  #text = '';
  #left: number | undefined;

  /** True when the answer is over. */
  take(chunk: Buffer): boolean {
    if (this.#left !== undefined && this.#left >= 0) return this.#count(chunk.length);
    this.#text += chunk.toString('latin1');
    if (this.#left === undefined && !this.#head()) return false;
    return this.#left === -1 ? this.#stream() : this.#left === 0;
  }

  #count(bytes: number): boolean {
    this.#left = (this.#left ?? 0) - bytes;
    if (this.#left < 0) throw new Error('more bytes than the answer has');
    return this.#left === 0;
  }

  #head(): boolean {
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#text.slice(0, end);
    if (!head.startsWith('HTTP/1.1 200')) throw new Error(`not a 200: ${this.#text.slice(0, 300)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#text = this.#text.slice(end + 4);
    this.#left = length === undefined ? -1 : Number(length) - this.#text.length;
    return true;
  }

  /** A chunked answer: events, and the last chunk. */
  #stream(): boolean {
    const now = process.hrtime.bigint();
    const over = this.#text.endsWith('0\r\n\r\n');
    let seen = 0;
    for (const event of this.#text.matchAll(/"at":"(\d+)"[^\n]*\n\n/g)) {
      this.events.push(Number(now - BigInt(event[1] ?? 0)) / 1e6);
      seen = event.index + event[0].length;
    }
    this.#text = this.#text.slice(seen);
    return over;
  }
}

function once(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.off('error', reject);
      resolve();
    });
    socket.once('error', reject);
  });
}

function established(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (tell: () => void): void => {
      socket.off('close', onClose);
      socket.off('data', onData);
      tell();
    };
    const onClose = (): void => settle(() => reject(new Error('the proxy hung up on CONNECT')));
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      if (/^HTTP\/1\.[01] 200/.test(text)) settle(resolve);
      else settle(() => reject(new Error(`CONNECT: ${text.slice(0, 200)}`)));
    };
    socket.on('close', onClose);
    socket.on('data', onData);
  });
}
