import type { Socket } from 'node:net';
import { formatAddress, type Hop, nameOfAddress } from './claim.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { serve } from './serve.ts';

/** How a socket reached gate. */
export type Origin =
  /** Through the jail's route: `address` and `port` are what the client dialled (`socket.localAddress`). */
  | { readonly via: 'captured'; readonly address: string; readonly port: number }
  /** On the proxy's own port. `password`: what each request there must present; undefined where anyone may ask. */
  | { readonly via: 'proxy'; readonly password?: string };

export interface EngineDeps extends Omit<ConnectionDeps, 'limits' | 'onBug'> {
  readonly limits?: Partial<Limits>;
  /** Told of errors that are gate's own; nothing is expected here. */
  readonly onBug?: (error: unknown) => void;
}

/** The engine: sockets in, recorded exchanges out. */
export interface Engine {
  /** Serves a connection to its end. */
  accept(socket: Socket, origin: Origin): void;
  /** Ends everything in flight (`gate_stopped`); resolves when every end is recorded. */
  stop(): Promise<void>;
}

/** Makes the engine. It opens no listener: whoever does hands the sockets over. */
export function createEngine(deps: EngineDeps): Engine {
  // Later, so that what was under way is still recorded and answered, whatever the listener does.
  const onBug = (error: unknown): void => void setImmediate(() => deps.onBug?.(error));
  const connectionDeps: ConnectionDeps = { ...deps, onBug, limits: { ...DEFAULT_LIMITS, ...deps.limits } };
  const live = new Map<Connection, Promise<void>>();
  let stopped = false;

  const accept: Engine['accept'] = (socket, origin) => {
    if (stopped) {
      socket.destroy();
      return;
    }
    // Without it small answers wait for the client's delayed acknowledgement, 40 ms and more.
    socket.setNoDelay(true);
    // A client's end is for us to interpret: a tunnel passes it on.
    socket.allowHalfOpen = true;
    const connection = new Connection(connectionDeps, socket);
    const serving = serve(connection, connection.wire, hopOf(origin, connectionDeps))
      .catch(onBug)
      .finally(() => {
        live.delete(connection);
        socket.destroy();
      });
    live.set(connection, serving);
  };

  const stop: Engine['stop'] = async () => {
    stopped = true;
    const serving = [...live.values()];
    for (const connection of [...live.keys()]) connection.stop();
    await Promise.all(serving);
    deps.upstream.stop();
  };

  return { accept, stop };
}

function hopOf(origin: Origin, deps: ConnectionDeps): Hop {
  const inner = { scheme: 'http', sni: undefined, badSni: false } as const;
  if (origin.via === 'proxy') {
    const { password } = origin;
    const hop: Hop = { ...inner, via: 'proxy', port: undefined, address: undefined, name: undefined };
    return password === undefined ? hop : { ...hop, password };
  }
  const address = formatAddress(origin.address);
  return { ...inner, via: 'captured', port: origin.port, address, name: nameOfAddress(address, deps.names) };
}
