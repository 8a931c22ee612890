import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6 } from 'node:net';
import { machineAddresses, outsideAddress } from '../policy/address.ts';
import { parseQuery, TYPE, writeAnswer } from '../proxy/dns/codec.ts';
import { nameText } from '../proxy/dns/names.ts';

/** What has arrived outside the jail so far. */
export interface Arrived {
  readonly connections: number;
  /** Names that were asked for. */
  readonly queries: readonly string[];
}

/** A TCP listener and a resolver outside the jail, on ports that gate does not capture. */
export interface Witness {
  readonly address: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  arrived(): Arrived;
  stop(): Promise<void>;
}

/** What the resolver says to every question (RFC 5737: documentation). */
const ANSWER = { rcode: 0, record: { type: TYPE.A, address: '192.0.2.53' } } as const;

/**
 * Starts both on an address of this machine that is not loopback, since a jail has a loopback of its own; on
 * 127.0.0.1 where the machine has no other. What other machines send there is not counted.
 */
export async function startWitness(): Promise<Witness> {
  const address = outsideAddress() ?? '127.0.0.1';
  const own = machineAddresses();
  let connections = 0;
  const queries: string[] = [];
  const server = createServer((socket) => {
    if (own.has(socket.remoteAddress ?? '')) connections += 1;
    socket.destroy();
  });
  server.listen(0, address);
  const resolver = createSocket(isIPv6(address) ? 'udp6' : 'udp4', (bytes, from) => {
    const query = parseQuery(bytes);
    if (!own.has(from.address) || 'malformed' in query) return;
    queries.push(nameText(query.labels));
    resolver.send(writeAnswer(query, ANSWER), from.port, from.address);
  });
  resolver.bind(0, address);
  await Promise.all([once(server, 'listening'), once(resolver, 'listening')]);
  return {
    address,
    tcpPort: (server.address() as AddressInfo).port,
    udpPort: resolver.address().port,
    arrived: () => ({ connections, queries: [...queries] }),
    async stop() {
      await Promise.all([
        new Promise((resolve) => server.close(resolve)),
        new Promise<void>((resolve) => resolver.close(resolve)),
      ]);
    },
  };
}
