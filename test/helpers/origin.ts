import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import type { TestAuthority } from './certs.ts';
import { PATIENCE_MS, witnessed } from './other-proxy.ts';

/** A server of the test's own that keeps every byte it was sent. */
export interface Origin {
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: Socket[];
  /** Everything received, over all connections, latin1. */
  received(): string;
  /** Resolves once the received text matches. */
  saw(what: string | RegExp): Promise<string>;
  /** TCP connections that are open, whether or not anything was understood on them, and those that ever were. */
  tcp(): { open: number; ever: number };
  stop(): Promise<void>;
}

export interface OriginOptions {
  /** Serves TLS with certificates of this authority. */
  readonly tls?: {
    readonly authority: TestAuthority;
    readonly names: readonly string[];
    readonly expired?: boolean;
  };
  /** Serves TLS with exactly this, where an authority cannot say it. */
  readonly secure?: tls.TlsOptions;
  readonly host?: string;
  /** A free one where absent. */
  readonly port?: number;
}

/** Starts an origin; `serve` is called for each connection, with the text so far whenever more came. */
export async function startOrigin(
  serve: (socket: Socket, text: string, connection: number) => void,
  options: OriginOptions = {},
): Promise<Origin> {
  const connections: Socket[] = [];
  let all = '';
  const onSocket = (socket: Socket): void => {
    const index = connections.push(socket) - 1;
    let text = '';
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      all += chunk.toString('latin1');
      serve(socket, text, index);
    });
  };
  const identity = options.tls;
  const secure =
    identity === undefined
      ? options.secure
      : identity.authority.issue(identity.names, { expired: identity.expired ?? false });
  const server = secure === undefined ? net.createServer(onSocket) : tls.createServer(secure, onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const raw = new Set<Socket>();
  server.on('connection', (socket: Socket) => raw.add(socket));
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    received: () => all,
    saw: async (what) => {
      const deadline = Date.now() + PATIENCE_MS;
      while (!(typeof what === 'string' ? all.includes(what) : what.test(all))) {
        if (Date.now() > deadline)
          throw new Error(`the origin did not see ${what}; it saw: ${all.slice(0, 500)}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return witnessed(all);
    },
    tcp: () => ({ open: [...raw].filter((socket) => !socket.closed).length, ever: raw.size }),
    stop: () => {
      for (const socket of [...raw, ...connections]) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Splits what one connection sent into whole requests (head and counted or chunked body), in latin1. */
export function requestsIn(text: string): { head: string; body: string }[] {
  const found: { head: string; body: string }[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return found;
    const head = rest.slice(0, end);
    const after = rest.slice(end + 4);
    const length = bodyLength(head, after);
    if (length === undefined) return found;
    found.push({ head, body: after.slice(0, length) });
    rest = after.slice(length);
  }
}

function bodyLength(head: string, after: string): number | undefined {
  const counted = /\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1];
  if (counted !== undefined) return after.length >= Number(counted) ? Number(counted) : undefined;
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return 0;
  const end = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(after);
  return end === null ? undefined : end.index + end[0].length;
}

/** Answers every whole request on a connection with the text that `answer` gives for it. */
export function answering(
  answer: (request: { head: string; body: string }, index: number) => string | Buffer,
): (socket: Socket, text: string) => void {
  const answered = new WeakMap<Socket, number>();
  return (socket, text) => {
    const requests = requestsIn(text);
    for (let index = answered.get(socket) ?? 0; index < requests.length; index += 1) {
      const request = requests[index];
      answered.set(socket, index + 1);
      if (request !== undefined) socket.write(answer(request, index), 'latin1');
    }
  };
}

/** A plain 200 with a body. */
export function ok(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${fields}\r\n${body}`;
}
