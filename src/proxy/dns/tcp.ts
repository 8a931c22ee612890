import type { Server, Socket } from 'node:net';

/** Turns one message into its answer; undefined where silence is right. */
export type Answerer = (message: Buffer) => Buffer | undefined;

export interface TcpBounds {
  /** Connections over all listeners. */
  readonly open: { count: number; readonly max: number };
  readonly idleMs: number;
  readonly maxQueryBytes: number;
}

/**
 * Serves DNS over TCP (RFC 7766): messages with two bytes of length before them, any number on a connection,
 * answered in order. Returns what stops it.
 */
export function serveTcp(server: Server, answer: Answerer, bounds: TcpBounds): () => void {
  const sockets = new Set<Socket>();
  const onConnection = (socket: Socket): void => {
    if (bounds.open.count >= bounds.open.max) {
      socket.destroy();
      return;
    }
    bounds.open.count += 1;
    sockets.add(socket);
    socket.once('close', () => {
      bounds.open.count -= 1;
      sockets.delete(socket);
    });
    serveConnection(socket, answer, bounds);
  };
  server.on('connection', onConnection);
  return () => {
    server.off('connection', onConnection);
    for (const socket of sockets) socket.destroy();
  };
}

function serveConnection(socket: Socket, answer: Answerer, bounds: TcpBounds): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.setTimeout(bounds.idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const split = splitMessages(
      rest.length === 0 ? chunk : Buffer.concat([rest, chunk]),
      bounds.maxQueryBytes,
    );
    if (split === undefined) {
      socket.destroy();
      return;
    }
    rest = Buffer.from(split.rest);
    const replies = split.messages.flatMap((message) => framed(answer(message)));
    // A client that asks without reading waits until it has read.
    if (replies.length > 0 && !socket.write(Buffer.concat(replies))) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  });
}

/** The whole messages of a stream and what follows them; undefined where one announces too many bytes. */
function splitMessages(
  stream: Buffer,
  maxBytes: number,
): { readonly messages: readonly Buffer[]; readonly rest: Buffer } | undefined {
  const messages: Buffer[] = [];
  let at = 0;
  while (stream.length - at >= 2) {
    const length = stream.readUInt16BE(at);
    if (length > maxBytes) return undefined;
    if (stream.length - at - 2 < length) break;
    messages.push(stream.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { messages, rest: stream.subarray(at) };
}

function framed(reply: Buffer | undefined): Buffer[] {
  if (reply === undefined) return [];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(reply.length);
  return [length, reply];
}
