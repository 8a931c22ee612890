import { type Socket, Socket as TcpSocket } from 'node:net';
import { codeOf } from '../../src/core/errors.ts';

/** Where a server in the jail may be listening, in the order in which it is tried. */
const LOOPBACK = [
  { family: 4, host: '127.0.0.1' },
  { family: 6, host: '::1' },
] as const;

interface Awaited {
  readonly number: number;
  readonly take: (socket: Socket) => void;
  readonly fail: (error: Error) => void;
}

/** Connects to servers that listen in the jail, by sockets that the helper makes in the jail's network. */
export interface Inside {
  /**
   * Connects to a port on the jail's loopback, half-open connections allowed. Rejects with the system's error, for
   * example ECONNREFUSED where nothing listens.
   */
  connect(port: number): Promise<Socket>;
  /** A handle arrived on Node's own channel. */
  arrived(message: unknown, handle: unknown): void;
  /** The helper could not make the socket of this number. */
  failed(number: number, errno: number): void;
  /** The jail is gone: whoever still waits for a socket is told. */
  closeAll(): void;
}

/** `ask` sends one line to the helper. */
export function createInside(ask: (line: string) => void): Inside {
  let awaited: Awaited | undefined;
  let last = Promise.resolve();
  let count = 0;
  let gone = false;

  /** One at a time: Node loses handles that come in bursts. */
  function request(family: 4 | 6, take: (socket: Socket) => void): Promise<void> {
    const mine = last.then(
      () =>
        new Promise<void>((resolve, reject) => {
          if (gone) throw new Error('the jail is gone');
          count += 1;
          awaited = {
            number: count,
            take: (socket) => {
              take(socket);
              resolve();
            },
            fail: reject,
          };
          ask(`socket ${count} ${family}\n`);
        }),
    );
    last = mine.catch(() => undefined);
    return mine;
  }

  /** The socket is connected in the turn in which it arrives: by the next one Node would have read from it. */
  function connectBy({ family, host }: (typeof LOOPBACK)[number], port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      request(family, (socket) => {
        socket.allowHalfOpen = true;
        socket.once('error', reject);
        socket.connect({ host, port }, () => {
          socket.off('error', reject);
          resolve(socket);
        });
      }).catch(reject);
    });
  }

  function claim(number: number): Awaited | undefined {
    if (awaited?.number !== number) return undefined;
    const claimed = awaited;
    awaited = undefined;
    return claimed;
  }

  return {
    async connect(port) {
      try {
        return await connectBy(LOOPBACK[0], port);
      } catch (error) {
        if (codeOf(error) !== 'ECONNREFUSED') throw error;
        // Servers that listen on the name `localhost` may have taken its IPv6 address alone.
        return await connectBy(LOOPBACK[1], port).catch(() => Promise.reject(error));
      }
    },
    arrived(message, handle) {
      if (!(handle instanceof TcpSocket)) return;
      const claimed = claim(numberIn(message));
      if (claimed === undefined) handle.destroy();
      else claimed.take(handle);
    },
    failed: (number, errno) => claim(number)?.fail(new Error(`no socket in the jail: errno ${errno}`)),
    closeAll() {
      gone = true;
      claim(count)?.fail(new Error('the jail is gone'));
    },
  };
}

function numberIn(message: unknown): number {
  if (typeof message !== 'object' || message === null || !('number' in message)) return 0;
  return typeof message.number === 'number' ? message.number : 0;
}
