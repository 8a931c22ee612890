import type { Socket as DatagramSocket, RemoteInfo } from 'node:dgram';
import type { Server } from 'node:net';
import type { Recorder } from '../../core/exchange.ts';
import { parseQuery, RCODE, writeAnswer, writeError } from './codec.ts';
import { typeName } from './names.ts';
import type { AddressPool } from './pool.ts';
import { createRate } from './rate.ts';
import { respond } from './respond.ts';
import { type Answerer, serveTcp } from './tcp.ts';

export interface DnsLimits {
  /** Different questions that are answered and recorded within a second; more are SERVFAIL. Default 2000. */
  readonly questionsPerSecond?: number;
  /** TCP connections open at once; further ones are closed. Default 128. */
  readonly connections?: number;
  /** Milliseconds without a byte after which a TCP connection is closed. Default 10,000. */
  readonly idleMs?: number;
}

export interface DnsServerOptions {
  readonly pool: AddressPool;
  readonly recorder: Pick<Recorder, 'dns' | 'refused'>;
  readonly limits?: DnsLimits;
}

/** The jail's resolver. It asks nobody: every name gets an address of the pool. */
export interface DnsServer {
  /** Answers what arrives on a socket. The socket stays its owner's, to close too. */
  attachUdp(socket: DatagramSocket): void;
  /** Answers on a listener's connections. The listener stays its owner's, to close too. */
  attachTcp(server: Server): void;
  /** Stops answering, and closes the TCP connections that are open. */
  stop(): void;
}

/** Longer than any question with its options; what exceeds it is not read. */
const MAX_QUERY_BYTES = 4096;

/** Makes the resolver of one run. Every question is recorded; no query leaves the machine. */
export function createDnsServer(options: DnsServerOptions): DnsServer {
  const { recorder, limits = {} } = options;
  const stops: (() => void)[] = [];
  const rate = createRate(limits.questionsPerSecond ?? 2000, (count) =>
    recorder.refused({ proto: 'dns', reason: 'dns_flood', count }),
  );
  const answer = createAnswerer(options, rate.admit);
  const open = { count: 0, max: limits.connections ?? 128 };
  return {
    attachUdp: (socket) => {
      stops.push(serveUdp(socket, answer));
    },
    attachTcp: (server) => {
      const bounds = { open, idleMs: limits.idleMs ?? 10_000, maxQueryBytes: MAX_QUERY_BYTES };
      stops.push(serveTcp(server, answer, bounds));
    },
    stop: () => {
      for (const stop of stops.splice(0)) stop();
      rate.stop();
    },
  };
}

function createAnswerer(
  { pool, recorder }: DnsServerOptions,
  admit: (question: string) => boolean,
): Answerer {
  let exhausted = false;
  return (message) => {
    const query = parseQuery(message);
    if ('malformed' in query) {
      recorder.refused({ proto: 'dns', reason: 'dns_malformed' });
      return query.error === undefined ? undefined : writeError(query.error.header, query.error.rcode);
    }
    const qtype = typeName(query.type);
    if (!admit(`${query.type} ${query.question.toString('latin1')}`)) {
      return writeAnswer(query, { rcode: RCODE.servFail });
    }
    const response = respond(query, pool);
    if (response.exhausted === undefined) {
      recorder.dns({ name: response.name, qtype, answer: response.said });
    } else if (!exhausted) {
      // One record for all that follow: whoever used up the pool must not fill the ledger too.
      exhausted = true;
      recorder.refused({ proto: 'dns', host: response.name, reason: 'dns_pool_exhausted' });
    }
    return writeAnswer(query, response.answer);
  };
}

function serveUdp(socket: DatagramSocket, answer: Answerer): () => void {
  const onMessage = (message: Buffer, from: RemoteInfo): void => {
    if (message.length > MAX_QUERY_BYTES || from.port === 0) return;
    const reply = answer(message);
    if (reply !== undefined) send(socket, reply, from);
  };
  socket.on('message', onMessage);
  // A client that is gone shows up as an error of the next send; the next client must not suffer.
  socket.on('error', ignore);
  return () => {
    socket.off('message', onMessage);
  };
}

function send(socket: DatagramSocket, reply: Buffer, to: RemoteInfo): void {
  try {
    socket.send(reply, to.port, to.address, ignore);
  } catch {
    // The socket was closed under us: the jail is being taken down.
  }
}

function ignore(): void {}
