import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** States of a TCP socket, as the kernel's table writes them (include/net/tcp_states.h). */
const STATES = { established: '01', dialling: '02' } as const;

/** A connection that the listener behind a hole was given by whoever the test is about. */
export interface Guest {
  text: string;
  over: boolean;
}

/**
 * A listening address that answers no dial: its process is stopped and its backlog is full, so the kernel drops every
 * SYN, as a dead route does. Once opened it is an HTTP origin.
 */
export interface BlackHole {
  readonly address: string;
  readonly port: number;
  /** Sockets of this machine that are dialling it or are connected to it, as the kernel has it; fillers not counted. */
  sockets(state: keyof typeof STATES): number;
  /** Whether a dial is still not answered, in more than the time that an ordinary listener needs. */
  swallows(): Promise<boolean>;
  /** Lets the listener run again: the kernel repeats what was dropped, so dials still under way succeed. */
  open(): void;
  /** Who came besides the fillers, in order. */
  guests(): Guest[];
  stop(): Promise<void>;
}

const LISTENER = `
const [address] = process.argv.slice(1);
const say = (fact) => process.stdout.write(JSON.stringify(fact) + '\\n');
const server = require('node:net').createServer((socket) => {
  const from = socket.remotePort;
  say({ from });
  socket.on('data', (data) => {
    say({ from, text: data.toString('latin1') });
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nopened');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => say({ from, over: true }));
});
server.listen({ host: address, port: 0, backlog: 1 }, () => say({ port: server.address().port }));
`;

interface Fact {
  readonly port?: number;
  readonly from?: number;
  readonly text?: string;
  readonly over?: boolean;
}

/** Digs a hole; rejects where this machine's kernel answers all the same, so that no test passes without one. */
export async function digHole(address: string): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  // A stopped process does not notice that whoever started it has gone.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const seen = new Map<number, Guest>();
  const port = await listening(child, seen);
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  const fill = (): Socket => {
    const socket = net.connect({ host: address, port });
    socket.on('error', () => undefined);
    fillers.push(socket);
    return socket;
  };
  const swallows = async (): Promise<boolean> => {
    const probe = fill();
    await ordinaryConnect(address);
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (!probe.connecting) return false;
    fillers.splice(fillers.indexOf(probe), 1);
    probe.destroy();
    return true;
  };
  const stop = async (): Promise<void> => {
    for (const socket of fillers) socket.destroy();
    const gone = once(child, 'exit');
    kill();
    await gone;
    process.off('exit', kill);
  };
  for (let tries = 0; !(await swallows()); tries += 1) {
    if (tries < 20) continue;
    await stop();
    throw new Error(`no black hole: the kernel answers for ${address} port ${port} with a full backlog`);
  }
  const isFiller = (from: number): boolean => fillers.some((socket) => socket.localPort === from);
  return {
    address,
    port,
    swallows,
    stop,
    sockets: (state) => localPortsTo(port, STATES[state]).filter((localPort) => !isFiller(localPort)).length,
    open: () => void child.kill('SIGCONT'),
    guests: () => [...seen].filter(([from]) => !isFiller(from)).map(([, guest]) => guest),
  };
}

/** Resolves with the port once the listener listens; what it says of its connections is kept in `seen`. */
function listening(child: ChildProcess, seen: Map<number, Guest>): Promise<number> {
  const { stdout } = child;
  if (stdout === null) throw new Error('the listener has no stdout');
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the listener ended with ${code}`)));
    createInterface(stdout).on('line', (line) => {
      const { port, from, text = '', over = false } = JSON.parse(line) as Fact;
      if (port !== undefined) resolve(port);
      if (from === undefined) return;
      const guest = seen.get(from) ?? { text: '', over: false };
      seen.set(from, { text: guest.text + text, over });
    });
  });
}

/** Connects to a listener of this process at the same address: how long a connection takes at this moment. */
async function ordinaryConnect(address: string): Promise<void> {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const socket = net.connect({ host: address, port: (server.address() as AddressInfo).port });
  await once(socket, 'connect');
  socket.destroy();
  server.close();
}

/** The local ports of this machine's sockets whose other end is `port`, from the kernel's own table. */
function localPortsTo(port: number, state: string): number[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const portOf = (endpoint = ''): string => endpoint.slice(endpoint.lastIndexOf(':') + 1);
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((table) => readTable(table))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, now]) => portOf(remote) === wanted && now === state)
    .map(([, local]) => Number.parseInt(portOf(local), 16));
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1);
  } catch {
    // A kernel without IPv6 has no second table.
    return [];
  }
}
