import { splitHostPort } from '../../policy/host.ts';
import { badRequest } from '../answer.ts';
import { type Claim, claimHost, type Hop, knownAs, urlOf } from '../claim.ts';
import type { Connection } from '../connection.ts';
import { BadRequest, WireError } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import type { Inbound } from '../inbound.ts';
import { passThrough, tunnelFor } from '../passthrough.ts';
import type { Wire } from '../wire.ts';
import { openBody } from './body.ts';
import { requestFraming, valuesOf } from './framing.ts';
import { type Head, readHead, writeHead } from './head.ts';
import { endToEnd } from './hop.ts';
import { admit } from './proxy-auth.ts';
import { Http1Reply } from './reply.ts';
import {
  asksForWebSocket,
  expectsContinue,
  isPersistent,
  type RequestLine,
  readRequestLine,
} from './request.ts';

/**
 * Serves HTTP/1 requests one after the other until the connection ends. A CONNECT that is granted returns the hop
 * for what comes inside it.
 */
export async function serveHttp1(connection: Connection, wire: Wire, hop: Hop): Promise<Hop | undefined> {
  for (;;) {
    const head = await nextHead(connection, wire, hop);
    if (head === undefined) return undefined;
    const next = await serveRequest(connection, wire, hop, head);
    if (next === 'again') continue;
    return next === 'closed' ? undefined : next;
  }
}

/** The next head; undefined when there is none, with the connection closed. */
async function nextHead(connection: Connection, wire: Wire, hop: Hop): Promise<Head | undefined> {
  const { limits } = connection.deps;
  try {
    const head = await readHead(wire, {
      strict: true,
      maxBytes: limits.headBytes,
      idleMs: limits.clientIdleMs,
      headMs: limits.headMs,
    });
    if (head === undefined) wire.end();
    return head;
  } catch (error) {
    await refuseHead(connection, wire, hop, error);
    return undefined;
  }
}

/** Answers what is no request, records it, and closes: what follows it cannot be trusted to be a request either. */
async function refuseHead(connection: Connection, wire: Wire, hop: Hop, error: unknown): Promise<void> {
  if (!(error instanceof BadRequest)) {
    if (!(error instanceof WireError)) throw error;
    if (error.kind === 'ended') connection.refuse('http', hop, 'incomplete_head');
    wire.destroy();
    return;
  }
  connection.refuse('http', hop, error.code);
  const answer = badRequest(error.status, error.code, error.message);
  const text = writeHead(`HTTP/1.1 ${answer.status} ${answer.statusText}`, [
    ...answer.headers,
    ['Connection', 'close'],
  ]);
  wire.write(Buffer.concat([Buffer.from(text, 'latin1'), answer.body]))?.catch(() => undefined);
  await wire.linger(connection.deps.limits.lingerMs);
}

type Next = 'again' | 'closed' | Hop;

async function serveRequest(connection: Connection, wire: Wire, hop: Hop, head: Head): Promise<Next> {
  let line: RequestLine;
  let inbound: Inbound;
  try {
    line = readRequestLine(head.first);
    admit(hop.password, head.headers);
    inbound = inboundOf(connection, wire, hop, head, line);
  } catch (error) {
    await refuseHead(connection, wire, hop, error);
    return 'closed';
  }
  if (line.connect !== undefined && inbound.claim.ok) return grantConnect(connection, wire, inbound.claim);
  if (await wentRaw(connection, wire, head, line, inbound)) return 'closed';
  return runExchange(connection, wire, head, line, inbound);
}

async function runExchange(
  connection: Connection,
  wire: Wire,
  head: Head,
  line: RequestLine,
  inbound: Inbound,
): Promise<Next> {
  const { limits } = connection.deps;
  const reply = new Http1Reply({
    wire,
    http10: line.http10,
    persistent: isPersistent(head, line.http10) && line.connect === undefined,
    stallMs: limits.clientStallMs,
  });
  const cancel = connection.begin();
  await new Exchange(connection.deps, inbound, reply, cancel).run();
  connection.finish(cancel);
  if (reply.persistent && !connection.stopping) return 'again';
  await wire.linger(limits.lingerMs);
  return 'closed';
}

function inboundOf(connection: Connection, wire: Wire, hop: Hop, head: Head, line: RequestLine): Inbound {
  const { limits, names } = connection.deps;
  checkForm(hop, line);
  const framing = requestFraming(head.headers, line.http10);
  if (line.connect !== undefined && framing.kind !== 'none') {
    throw new BadRequest('connect_with_body', 'CONNECT has no body');
  }
  const claim = claimOf(connection, hop, head, line);
  const scheme = line.absolute?.scheme ?? hop.scheme;
  const upgrade = framing.kind === 'none' && asksForWebSocket(head, line);
  const headers = endToEnd(head.headers, { chunked: framing.kind === 'chunked', upgrade });
  // The host that was decided on must be the host that the origin reads.
  if (valuesOf(headers, 'host').length === 0)
    headers.unshift(['Host', line.absolute?.authority ?? claim.host]);
  const url = line.connect === undefined ? urlOf(scheme, claim.host, claim.port, line.path) : line.connect;
  return {
    facts: {
      via: hop.via,
      method: line.method,
      url,
      host: knownAs(claim.host, names),
      port: claim.port,
      protocol: upgrade ? 'websocket' : 'http/1.1',
      headers: head.headers,
      ...(hop.address === undefined ? {} : { address: hop.address }),
    },
    claim,
    tls: scheme === 'https',
    path: line.path,
    headers,
    framing,
    body: openBody(wire, framing, limits.clientStallMs),
    expectsContinue: expectsContinue(head, line.http10),
    upgrade: upgrade ? wire : undefined,
  };
}

/** Which of the four forms may come where (RFC 9112 §3.2). */
function checkForm(hop: Hop, line: RequestLine): void {
  const onProxyPort = hop.port === undefined;
  if (line.connect !== undefined) {
    if (!onProxyPort)
      throw new BadRequest('nested_connect', 'CONNECT is for the proxy only, and not within itself', 405);
    return;
  }
  if (onProxyPort && line.absolute === undefined) {
    throw new BadRequest('not_a_proxy_request', 'this is a proxy: it takes CONNECT and absolute URLs');
  }
  if (!onProxyPort && line.absolute !== undefined && line.absolute.scheme !== hop.scheme) {
    throw new BadRequest('scheme_mismatch', 'the URL and the connection differ in their scheme');
  }
}

function claimOf(connection: Connection, hop: Hop, head: Head, line: RequestLine): Claim {
  const { names } = connection.deps;
  const { connect } = line;
  if (connect === undefined) {
    const claimHop = line.absolute === undefined ? hop : { ...hop, scheme: line.absolute.scheme };
    const authority = line.absolute?.authority;
    const hostRequired = !line.http10 && authority === undefined;
    return claimHost(claimHop, { headers: head.headers, authority, hostRequired }, names);
  }
  if (splitHostPort(connect) === undefined) {
    return { ok: false, reason: 'bad_host', host: connect, port: 0, detail: 'no host:port' };
  }
  return claimHost(hop, { headers: head.headers, authority: connect, hostRequired: false }, names);
}

/** Whether the host is denied or not is said inside, where the client can read it: CONNECT itself is granted. */
function grantConnect(connection: Connection, wire: Wire, claim: Claim): Hop {
  const name = knownAs(claim.host, connection.deps.names);
  wire.write(Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n', 'latin1'))?.catch(() => undefined);
  return {
    via: 'proxy',
    scheme: 'http',
    port: claim.port,
    address: undefined,
    name,
    sni: undefined,
    badSni: false,
  };
}

/** Plain HTTP to a passthrough host: the connection goes on unread, beginning with this request. */
async function wentRaw(
  connection: Connection,
  wire: Wire,
  head: Head,
  line: RequestLine,
  inbound: Inbound,
): Promise<boolean> {
  const { claim, facts } = inbound;
  if (!claim.ok || inbound.tls) return false;
  const hop = { via: facts.via, port: claim.port };
  const request = await tunnelFor(connection, hop, claim.host, undefined);
  if (request === undefined) return false;
  wire.unread(line.absolute === undefined ? head.raw : originForm(line, inbound));
  await passThrough(connection, wire, request);
  return true;
}

/** What an origin expects instead of an absolute URL. It is told to close, since what follows may be for another host. */
function originForm(line: RequestLine, inbound: Inbound): Buffer {
  const headers = inbound.headers.filter(([name]) => name.toLowerCase() !== 'connection');
  const text = writeHead(`${line.method} ${line.path} HTTP/1.1`, [...headers, ['Connection', 'close']]);
  return Buffer.from(text, 'latin1');
}
