import { canonicalHost } from '../policy/host.ts';
import { type Hop, knownAs } from './claim.ts';
import { type ClientHello, peekClientHello } from './client-hello.ts';
import type { Connection } from './connection.ts';
import { serveHttp1 } from './http1/server.ts';
import { serveHttp2 } from './http2/server.ts';
import { isPassedThrough, passThrough, tunnelFor } from './passthrough.ts';
import { sniff } from './sniff.ts';
import { type NoTls, rejectionOf, speaksAny, terminateTls } from './tls.ts';
import type { TunnelRequest } from './tunnel.ts';
import type { Wire } from './wire.ts';

/**
 * Serves a stretch of a connection: finds out what the client speaks and hands it to the stage that can answer.
 * Called for what was accepted and again for what is inside a CONNECT.
 */
export async function serve(connection: Connection, wire: Wire, hop: Hop): Promise<void> {
  const { limits } = connection.deps;
  // Where TLS or HTTP is certain to come, nobody may open a tunnel by keeping silent.
  const mayBeServerFirst = hop.port !== 443 && hop.port !== 80 && isPassedThrough(connection, hop);
  const { waitMs, moreMs } = mayBeServerFirst
    ? { waitMs: limits.serverFirstMs, moreMs: limits.serverFirstMs }
    : { waitMs: limits.clientIdleMs, moreMs: limits.headMs };
  const spoken = await sniff(wire, waitMs, moreMs);
  switch (spoken) {
    case 'tls':
      return serveTls(connection, wire, hop);
    case 'http1':
      return serveHttp(connection, wire, hop);
    case 'h2c':
    case 'raw':
      return serveRaw(connection, wire, hop, spoken);
    case 'silent':
      if (mayBeServerFirst) return serveRaw(connection, wire, hop, spoken);
      wire.destroy();
      return;
    case 'ended':
      wire.destroy();
  }
}

async function serveHttp(connection: Connection, wire: Wire, hop: Hop): Promise<void> {
  const connect = await serveHttp1(connection, wire, hop);
  if (connect !== undefined) await serve(connection, wire, connect);
}

/** Neither TLS nor HTTP/1: through if the passthrough list says so, else closed and recorded. */
async function serveRaw(connection: Connection, wire: Wire, hop: Hop, spoken: string): Promise<void> {
  const request = await tunnelFor(connection, hop, hop.name ?? hop.address, undefined);
  if (request !== undefined) {
    await passThrough(connection, wire, request);
    return;
  }
  connection.refuse(spoken === 'h2c' ? 'h2c' : 'tcp', hop, rawReason(connection, hop));
  wire.destroy();
}

function rawReason(connection: Connection, hop: Hop): string {
  const host = hop.name ?? hop.address;
  if (host === undefined || hop.port === undefined) return 'unreadable_protocol';
  const { action, decision } = connection.deps.policy.byName({ host, port: hop.port });
  return action === 'deny' ? decision.reason : 'unreadable_protocol';
}

async function serveTls(connection: Connection, wire: Wire, outer: Hop): Promise<void> {
  const hello = await peekHello(connection, wire, outer);
  if (hello === undefined) return;
  const hop = insideTls(connection, outer, hello);
  const request = await tlsTunnel(connection, hop, hello);
  if (request !== undefined) return passThrough(connection, wire, request);
  if (!speaksAny(hello.alpn)) {
    connection.refuse('tls', hop, 'unreadable_protocol');
    wire.destroy();
    return;
  }
  const host = hop.sni ?? hop.name ?? hop.address ?? 'localhost';
  const terminated = await terminateTls(connection, wire, { host, alpn: hello.alpn });
  if (!terminated.ok) {
    connection.refuse('tls', hop, terminated.reason, { host, alert: terminated.alert });
    return;
  }
  const { socket } = terminated;
  if (socket.alpnProtocol === 'h2') await serveHttp2(connection, socket, hop);
  else await serveInside(connection, connection.use(socket), hop);
}

/** What comes inside TLS must be HTTP: TLS in TLS and other protocols cannot be read. */
async function serveInside(connection: Connection, wire: Wire, hop: Hop): Promise<void> {
  const { limits } = connection.deps;
  const spoken = await sniff(wire, limits.clientIdleMs, limits.headMs);
  if (spoken === 'http1') {
    await serveHttp1(connection, wire, hop);
    return;
  }
  if (spoken === 'ended') {
    const { reason, alert } = hangUpReason(wire);
    connection.refuse('tls', hop, reason, { alert });
  } else if (spoken !== 'silent')
    connection.refuse(spoken === 'h2c' ? 'h2c' : 'tls', hop, 'unreadable_protocol');
  wire.destroy();
}

/** A client that shook hands and left: some say that they do not trust the certificate only then. */
function hangUpReason(wire: Wire): NoTls {
  const failure = wire.failure === undefined ? undefined : rejectionOf(wire.failure);
  return failure?.reason === 'certificate_rejected' ? failure : { reason: 'closed_without_request' };
}

async function peekHello(connection: Connection, wire: Wire, hop: Hop): Promise<ClientHello | undefined> {
  // A hop without a port is the proxy's own: TLS to the proxy itself is not spoken.
  const hello =
    hop.port === undefined
      ? undefined
      : await peekClientHello(wire, connection.deps.limits.headMs).catch(() => undefined);
  if (hello !== undefined) return hello;
  connection.refuse('tls', hop, 'unreadable_protocol');
  wire.destroy();
  return undefined;
}

function insideTls(connection: Connection, outer: Hop, hello: ClientHello): Hop {
  const sni = hello.sni === undefined ? undefined : canonicalHost(hello.sni);
  return {
    ...outer,
    scheme: 'https',
    sni: sni === undefined ? undefined : knownAs(sni, connection.deps.names),
    badSni: hello.sni !== undefined && sni === undefined,
  };
}

async function tlsTunnel(
  connection: Connection,
  hop: Hop,
  hello: ClientHello,
): Promise<TunnelRequest | undefined> {
  const host = hop.name ?? hop.sni ?? hop.address;
  // Names that disagree are answered inside TLS, by the request.
  if (hop.badSni || (hop.sni !== undefined && hop.sni !== host)) return undefined;
  return tunnelFor(connection, hop, host, hello.sni);
}
