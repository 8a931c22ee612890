import http2, { type SecureServerOptions, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { HOST, type Suite } from './client-suite.ts';

export type Headers = Record<string, string | string[] | number | undefined>;
export type ServeStream = (stream: ServerHttp2Stream, headers: Headers, raw: string[]) => void;

/** Starts an origin that speaks HTTP/2 only; it ends with the test. */
export async function startH2Origin(
  suite: Suite,
  serve: ServeStream,
  options: SecureServerOptions = {},
): Promise<{ port: number; sockets: Socket[] }> {
  const server = http2.createSecureServer({ ...suite.originCa.issue([HOST]), ...options });
  const sockets: Socket[] = [];
  server.on('secureConnection', (socket: Socket) => sockets.push(socket));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream, headers: unknown, _flags: number, raw: string[]) => {
    stream.on('error', () => undefined);
    serve(stream, headers as Headers, raw);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  suite.cleanup(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return { port: (server.address() as AddressInfo).port, sockets };
}
