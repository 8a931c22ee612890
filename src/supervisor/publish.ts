import { createServer, type Server, type Socket } from 'node:net';
import { codeOf, GateError, messageOf } from '../core/errors.ts';

/** Ports of this machine's loopback that lead to servers in the jail. */
export interface Published {
  readonly ports: readonly number[];
  /** From here on connections are served; those that came before it were cut. */
  serve(accept: (socket: Socket, port: number) => void): void;
  close(): void;
}

/**
 * Listens on 127.0.0.1, and on ::1 where this machine has it, for each port. Never on another address. Rejects with a
 * GateError `port_unavailable` (exit code 125) where one cannot be had; none is left open then.
 */
export async function publish(ports: readonly number[]): Promise<Published> {
  const servers: Server[] = [];
  let accept = (socket: Socket, _port: number): void => void socket.resetAndDestroy();
  const close = (): void => {
    for (const server of servers) server.close();
  };
  try {
    for (const port of ports) {
      for (const host of ['127.0.0.1', '::1']) {
        const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, port));
        if (await listens(server, host, port)) servers.push(server);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    ports,
    serve: (take) => {
      accept = take;
    },
    close,
  };
}

/** Whether it listens now; false where this machine does not have the address. */
async function listens(server: Server, host: string, port: number): Promise<boolean> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
    return true;
  } catch (error) {
    const absent = host !== '127.0.0.1' && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '');
    if (absent) return false;
    throw unavailable(host, port, error);
  }
}

const HINTS: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) =>
    `stop what listens there (\`ss -ltnp 'sport = :${port}'\`), or let the server in the jail use another port and publish that`,
  EACCES: () => 'let the server in the jail use a port above 1023 and publish that',
};

function unavailable(host: string, port: number, error: unknown): GateError {
  const code = codeOf(error) ?? '';
  const reason = code === 'EADDRINUSE' ? 'it is in use on this machine' : messageOf(error);
  const hint = HINTS[code]?.(port);
  return new GateError('port_unavailable', `cannot publish port ${port} on ${host}: ${reason}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
