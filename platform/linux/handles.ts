import type { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server } from 'node:net';
import type { JailListener } from '../jail.ts';

/** The sockets that were made inside and arrived here. */
export interface Handles {
  readonly listeners: JailListener[];
  readonly dnsSockets: DatagramSocket[];
  /** Resolves when `count` sockets have arrived. */
  arrived(count: number): Promise<void>;
  closeAll(): void;
}

/** Takes the sockets that the helper sends on Node's own channel. */
export function receiveHandles(child: ChildProcess): Handles {
  const listeners: JailListener[] = [];
  const dnsSockets: DatagramSocket[] = [];
  let check = (): void => undefined;
  child.on('message', (message: unknown, handle: unknown) => {
    if (handle instanceof DatagramSocket) dnsSockets.push(handle);
    const told = toldAbout(message);
    if (handle instanceof Server && told) listeners.push({ server: handle, ...told });
    check();
  });
  return {
    listeners,
    dnsSockets,
    arrived: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (listeners.length + dnsSockets.length >= count) resolve();
        };
        check();
      }),
    closeAll: () => {
      for (const { server } of listeners) server.close();
      for (const socket of dnsSockets) closeQuietly(socket);
    },
  };
}

/** A datagram socket cannot be closed twice, and its owner may have done so. */
function closeQuietly(socket: DatagramSocket): void {
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}

function toldAbout(message: unknown): Pick<JailListener, 'port' | 'scope'> | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if (!('port' in message) || !('scope' in message) || typeof message.port !== 'number') return undefined;
  const { port, scope } = message;
  if (scope !== 'any' && scope !== 'loopback' && scope !== 'proxy' && scope !== 'dns') return undefined;
  return { port, scope };
}
