import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { badRequest } from '../answer.ts';
import { EMPTY_BODY } from '../body.ts';
import { claimHost, type Hop, knownAs, urlOf } from '../claim.ts';
import type { Connection } from '../connection.ts';
import { BadRequest } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import { type Framing, requestFraming } from '../http1/framing.ts';
import { endToEnd } from '../http1/hop.ts';
import type { Inbound } from '../inbound.ts';
import { watchQuiet } from '../quiet.ts';
import { headRoom, headSize, pseudoField, regularFields, toHttp1 } from './fields.ts';
import { Http2Reply } from './reply.ts';
import { StreamBody } from './stream-body.ts';

const MIB = 1024 * 1024;
/** Received by a stream, and by a connection, before we have taken any of it. */
const STREAM_WINDOW = MIB;
const SESSION_WINDOW = 8 * MIB;
const MAX_STREAMS = 256;
const PATH = /^(?:\/[\x21-\x7e\x80-\xff]*|\*)$/;

/**
 * Serves HTTP/2 on a TLS connection: each stream is an exchange of its own, decided on by its own `:authority`.
 * Extended CONNECT (RFC 8441) is not offered, so WebSockets come over HTTP/1.1, where they are read.
 */
export function serveHttp2(connection: Connection, socket: TLSSocket, hop: Hop): Promise<void> {
  const { limits } = connection.deps;
  // A session is over when the client ends its side; a half-open socket would keep it for ever.
  socket.allowHalfOpen = false;
  const { maxHeaderListSize, ...room } = headRoom(limits.headBytes);
  const session = performServerHandshake(socket, {
    ...room,
    // In megabytes; the default of 10 breaks connections that carry many large streams.
    maxSessionMemory: 256,
    settings: {
      enableConnectProtocol: false,
      initialWindowSize: STREAM_WINDOW,
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize,
    },
  });
  return new Promise((resolve) => {
    let streams = 0;
    const touch = watchQuiet(session, limits.clientIdleMs, () => {
      // After a protocol error node:http2 reads no more, so that nothing else tells of the client's end.
      if (connection.idle) closeSession(session, limits.lingerMs);
    });
    session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
    session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, _flags: number, raw?: string[]) => {
      streams += 1;
      touch();
      stream.on('close', touch);
      serveStream(connection, session, stream, hop, raw ?? []).catch((error: unknown) => {
        connection.deps.onBug(error);
        stream.destroy();
      });
    });
    session.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_HTTP2_ERROR') connection.refuse('h2', hop, 'protocol_error');
    });
    session.on('close', () => {
      if (streams === 0) connection.refuse('tls', hop, 'closed_without_request');
      resolve(connection.settled());
    });
  });
}

async function serveStream(
  connection: Connection,
  session: ServerHttp2Session,
  stream: ServerHttp2Stream,
  hop: Hop,
  raw: readonly string[],
): Promise<void> {
  const { limits } = connection.deps;
  // A stream's errors are seen by whoever reads or writes it; without a listener they would end the process.
  stream.on('error', () => undefined);
  let inbound: Inbound;
  try {
    inbound = inboundOf(connection, stream, hop, raw);
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    refuseStream(connection, stream, hop, error);
    return;
  }
  const cancel = connection.begin();
  const gone = (): void => cancel.stop('client_aborted');
  stream.on('aborted', gone);
  stream.on('close', gone);
  const reply = new Http2Reply(stream, limits.clientStallMs);
  await new Exchange(connection.deps, inbound, reply, cancel).run();
  connection.finish(cancel);
  if (connection.stopping && connection.idle) closeSession(session, limits.lingerMs);
}

/** Lets resets that were just written leave, so that no client takes what it has for the whole; then cuts. */
function closeSession(session: ServerHttp2Session, waitMs: number): void {
  const timer = setTimeout(() => session.destroy(), waitMs);
  session.on('close', () => clearTimeout(timer));
  session.close();
}

function inboundOf(
  connection: Connection,
  stream: ServerHttp2Stream,
  hop: Hop,
  raw: readonly string[],
): Inbound {
  const { limits, names } = connection.deps;
  if (headSize(raw) > limits.headBytes)
    throw new BadRequest('head_too_large', `a head of more than ${limits.headBytes} bytes`, 431);
  const method = pseudoField(raw, ':method') ?? '';
  const path = pseudoField(raw, ':path') ?? '';
  const authority = pseudoField(raw, ':authority');
  if (method === 'CONNECT') throw new BadRequest('nested_connect', 'CONNECT is for the proxy only', 405);
  if (!PATH.test(path)) throw new BadRequest('bad_target', 'no path');
  if (pseudoField(raw, ':scheme') !== hop.scheme) throw new BadRequest('scheme_mismatch', 'another scheme');
  const fields = regularFields(raw);
  const framing = framingOf(stream, fields);
  const claim = claimHost(hop, { headers: fields, authority, hostRequired: true }, names);
  const headers = toHttp1(fields, authority, framing.kind === 'chunked');
  const length = framing.kind === 'length' ? framing.length : undefined;
  return {
    facts: {
      via: hop.via,
      method,
      url: urlOf(hop.scheme, claim.host, claim.port, path),
      host: knownAs(claim.host, names),
      port: claim.port,
      protocol: 'h2',
      headers: fields,
      ...(hop.address === undefined ? {} : { address: hop.address }),
    },
    claim,
    tls: true,
    path,
    headers: endToEnd(headers, { chunked: framing.kind === 'chunked' }),
    framing,
    body: stream.endAfterHeaders ? EMPTY_BODY : new StreamBody(stream, limits.clientStallMs, length),
    expectsContinue: fields.some(
      ([name, value]) => name === 'expect' && value.toLowerCase() === '100-continue',
    ),
    upgrade: undefined,
  };
}

/** RFC 9113 §8.1.1: a length, where there is one, must be that of the body. */
function framingOf(stream: ServerHttp2Stream, fields: Inbound['headers']): Framing {
  const announced = requestFraming(fields, false);
  if (stream.endAfterHeaders) {
    if (announced.kind !== 'none') throw new BadRequest('bad_length', 'a length without a body');
    return announced;
  }
  return announced.kind === 'none' ? { kind: 'chunked' } : announced;
}

function refuseStream(connection: Connection, stream: ServerHttp2Stream, hop: Hop, error: BadRequest): void {
  connection.refuse('h2', hop, error.code);
  const answer = badRequest(error.status, error.code, error.message);
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': answer.status, ...Object.fromEntries(answer.headers) }, {
    sendDate: false,
  } as object);
  stream.end(answer.body);
  stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
}
