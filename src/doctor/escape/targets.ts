import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { outsideAddress } from '../../policy/address.ts';
import type { Address, ProbeTask } from './task.ts';

/** Things outside the jail that a probe tries to reach, and whom they have met. */
export interface Targets {
  readonly tcp: readonly Address[];
  readonly udp: Address;
  /** The address of this machine that is not loopback, where it has one. */
  readonly own: string | undefined;
  /** What the environment of this process hashes to. */
  readonly environ: string;
  /** Where the probe outside reports to. */
  readonly reportPort: number;
  /** Resolves with that report. */
  readonly report: Promise<string>;
  /** The signal by which each probe makes itself known. */
  readonly signals: Readonly<Record<ProbeTask['name'], NodeJS.Signals>>;
  /** Names of probes by what they reached: `tcp HOST PORT`, `udp`, `signal`. */
  readonly met: ReadonlyMap<string, ReadonlySet<string>>;
  stop(): void;
}

/** Neither has an effect on a process that does not wait for it, or it is sent only to this one, which does. */
const SIGNALS = { inside: 'SIGURG', outside: 'SIGIO' } as const;

/** Opens targets on loopback and on an address of the machine's own. Rejects with the system's error. */
export async function openTargets(): Promise<Targets> {
  const met = new Map<string, Set<string>>();
  const meet = (what: string, who: string): void => {
    met.set(what, new Set([...(met.get(what) ?? []), who]));
  };
  const own = outsideAddress();
  const hosts = ['127.0.0.1', ...(own === undefined ? [] : [own])];
  const servers = await Promise.all(hosts.map((host) => listen(host)));
  const tcp = servers.map((server) => addressOf(server));
  for (const [index, server] of servers.entries()) {
    const name = tcp[index] === undefined ? '' : tcpName(tcp[index]);
    server.on('connection', (socket: Socket) => void textOf(socket).then((text) => meet(name, text)));
  }
  const reports = await listen('127.0.0.1');
  const report = once(reports, 'connection').then(([socket]) => textOf(socket as Socket));
  const host = own ?? '127.0.0.1';
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (text, from) => {
    meet('udp', text.toString());
    udp.send(text, from.port, from.address);
  });
  udp.bind(0, host);
  await once(udp, 'listening');
  const heard = Object.entries(SIGNALS).map(([who, signal]) => {
    const hear = (): void => meet('signal', who);
    process.on(signal, hear);
    return () => process.off(signal, hear);
  });
  return {
    tcp,
    udp: { host, port: udp.address().port },
    own,
    environ: createHash('sha256').update(readFileSync('/proc/self/environ')).digest('hex'),
    reportPort: addressOf(reports).port,
    report,
    signals: SIGNALS,
    met,
    stop: () => {
      for (const server of [...servers, reports]) server.close();
      udp.close();
      for (const forget of heard) forget();
    },
  };
}

/** The name of a TCP target in `met`. */
export function tcpName({ host, port }: Address): string {
  return `tcp ${host} ${port}`;
}

/** All that a connection says; what it said so far where it breaks. */
export async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

async function listen(host: string): Promise<Server> {
  const server = createServer();
  server.listen({ host, port: 0, exclusive: true });
  await once(server, 'listening');
  return server;
}

function addressOf(server: Server): Address {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
