import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { TestAuthority } from './certs.ts';

/** A proxy such as companies have, on loopback. */
export interface TestCorporateProxy {
  readonly port: number;
  /** `METHOD target` of each request, with `!` where its credentials were not accepted. */
  readonly seen: string[];
  /** Fields of the last request. */
  fields(): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface CorporateOptions {
  /** `user:password`; nothing is asked for where absent. */
  readonly login?: string;
  /** Where every name leads. */
  readonly originPort: number;
  /** Loopback where absent. */
  readonly originAddress?: string;
  /** The proxy itself is spoken to over TLS. */
  readonly tls?: { readonly authority: TestAuthority; readonly name: string };
  /** What CONNECT is answered instead of being granted. */
  readonly refuse?: string;
}

/** Starts a proxy that grants CONNECT and answers plain requests itself. */
export async function startCorporateProxy(options: CorporateOptions): Promise<TestCorporateProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  let last: Readonly<Record<string, unknown>> = {};
  const { tls } = options;
  const server: Server =
    tls === undefined ? createServer() : createTlsServer(tls.authority.issue([tls.name]));
  const admit = (request: IncomingMessage): boolean => {
    const { login } = options;
    const expected = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    const admitted = expected === undefined || request.headers['proxy-authorization'] === expected;
    seen.push(`${admitted ? '' : '!'}${request.method} ${request.url}`);
    last = request.headers;
    return admitted;
  };
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('request', (request, response) => {
    if (admit(request)) response.end(`proxied ${request.method} ${request.url}`);
    else response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="corp"' }).end('log in');
  });
  server.on('connect', (request, client: Socket) => {
    client.on('error', () => undefined);
    const refusal = admit(request) ? options.refuse : '407 Log in\r\nContent-Length: 0';
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
      return;
    }
    const origin = net.connect(options.originPort, options.originAddress ?? '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n');
      origin.pipe(client).pipe(origin);
    });
    sockets.add(origin);
    origin.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    fields: () => last,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
