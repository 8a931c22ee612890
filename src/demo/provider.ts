import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadOrCreateAuthority } from '../ca/authority.ts';
import { createLeafIssuer } from '../ca/leaf.ts';
import { messageEvents } from './messages.ts';

/** A request as the provider got it, and what it answered. */
export interface ProviderCall {
  readonly host: string;
  readonly path: string;
  /** SHA-256, hex, of the bodies' bytes. */
  readonly requestSha256: string;
  readonly responseSha256: string;
  /** Of a stream: whether its last event waited until the agent had the first. */
  readonly held?: boolean;
}

/** The far end of the demo: a model API and a collector of notes, over TLS on 127.0.0.1. */
export interface Provider {
  readonly port: number;
  /** The certificate of the authority that vouches for it, made for this demo. */
  readonly caFile: string;
  /** In the order in which the answers were complete. */
  readonly calls: readonly ProviderCall[];
  /** The agent has the first event: the stream may end. */
  firstEventArrived(): void;
  stop(): Promise<void>;
}

/** A stream whose first event never arrives ends after so long; then the proof has failed. */
const HOLD_MS = 5000;

/** Starts the provider. Its authority is in `dir`, and is nobody's but the demo's. */
export async function startProvider(dir: string): Promise<Provider> {
  const caFile = join(dir, 'ca.pem');
  const leaves = createLeafIssuer(
    loadOrCreateAuthority({ caDir: dir, caCert: caFile, caKey: join(dir, 'ca.key') }),
  );
  const calls: ProviderCall[] = [];
  let release: (held: boolean) => void = () => {};
  const holdLast = () =>
    new Promise<boolean>((resolve) => {
      release = resolve;
      setTimeout(() => resolve(false), HOLD_MS).unref();
    });
  const server = createServer(
    { SNICallback: (name, done) => done(null, leaves.contextFor(name)) },
    (request, response) => {
      serve(request, response, holdLast).then(
        (call) => calls.push(call),
        // Its client is gone: the judge will miss the call.
        () => response.destroy(),
      );
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    caFile,
    calls,
    firstEventArrived: () => release(true),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  holdLast: () => Promise<boolean>,
): Promise<ProviderCall> {
  const received: Buffer[] = [];
  for await (const piece of request) received.push(piece as Buffer);
  const url = new URL(request.url ?? '/', `https://${request.headers.host}`);
  const call = { host: url.hostname, path: url.pathname, requestSha256: sha256(Buffer.concat(received)) };
  if (url.pathname !== '/v1/messages') {
    const body = '{}';
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    return { ...call, responseSha256: sha256(body) };
  }
  const events = messageEvents();
  const last = events.pop() ?? '';
  const released = holdLast();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(event);
  const held = await released;
  response.end(last);
  return { ...call, responseSha256: sha256(events.join('') + last), held };
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
