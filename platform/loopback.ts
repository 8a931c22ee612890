import { type AddressInfo, createServer, type Server } from 'node:net';
import { codeOf, GateError, messageOf } from '../src/core/errors.ts';
import type { JailListener } from './jail.ts';

/**
 * Opens the proxy's listener on this machine's own 127.0.0.1; port 0 lets the system choose. It is never opened on
 * another address. Rejects with a GateError (exit code 125) where the port cannot be had.
 */
export async function listenOnLoopback(port: number): Promise<JailListener> {
  const server = createServer({ allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve);
    });
  } catch (error) {
    throw cannotListen(port, error);
  }
  return { server, port: portOf(server), scope: 'proxy' };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function cannotListen(port: number, error: unknown): GateError {
  const inUse = codeOf(error) === 'EADDRINUSE';
  const reason = inUse ? `port ${port} is in use` : messageOf(error);
  return new GateError('no_listener', `gate's proxy cannot listen on 127.0.0.1: ${reason}`, {
    ...(inUse ? { hint: 'choose another port, or leave --port out' } : {}),
    cause: error,
  });
}
