import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import type { Candidate, Policy, Target } from '../../src/core/policy.ts';
import type { ResolveRule } from '../../src/policy/resolve-rule.ts';
import { corporateProxies } from '../../src/proxy/corporate/environment.ts';
import { type Origin as Arrival, createEngine, type Engine } from '../../src/proxy/engine.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/proxy/limits.ts';
import { createUpstream } from '../../src/proxy/upstream.ts';
import type { TestAuthority } from './certs.ts';
import { createMemoryRecorder, type MemoryRecorder } from './memory-recorder.ts';

export interface Pinned {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly addressPort: number;
}

export interface RigOptions {
  /** Signs the leaves that gate shows. */
  readonly gateCa: TestAuthority;
  /** Trusted upstream. */
  readonly originCa?: TestAuthority;
  /** Where the origins of the test are. */
  readonly resolve?: readonly Pinned[];
  /** Addresses that gate's DNS gave, by address. */
  readonly names?: Readonly<Record<string, string>>;
  readonly deny?: readonly string[];
  /** Judges instead of the rig's own lists. */
  readonly policy?: Policy;
  /** `host:port`. */
  readonly passthrough?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** The environment that names corporate proxies. */
  readonly proxyEnv?: Readonly<Record<string, string>>;
  /** Stands in for the machine's resolver. */
  readonly resolveName?: (host: string) => Promise<readonly string[]>;
}

/** An engine with listeners in front, as the jail would give it. */
export interface Rig {
  readonly engine: Engine;
  readonly recorder: MemoryRecorder;
  readonly bugs: unknown[];
  /** What the policy lets be dialled, where a test wants something else than the rules. */
  policyCandidates: readonly Candidate[] | undefined;
  /** Connects as if the jailed client had dialled this address and port. */
  captured(address: string, port: number): Promise<Client>;
  /** Connects to the proxy's port. */
  proxy(): Promise<Client>;
  proxyPort(): Promise<number>;
  capturedPort(address: string, port: number): Promise<number>;
  stop(): Promise<void>;
}

/** With `GATE_TEST_ARRIVAL=connect`, what would be captured comes to the proxy and asks for the same host by CONNECT. */
export const BY_CONNECT = process.env['GATE_TEST_ARRIVAL'] === 'connect';

async function throughConnect(client: Client, host: string, port: number): Promise<Client> {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  client.send(`CONNECT ${where} HTTP/1.1\r\nHost: ${where}\r\n\r\n`);
  const answer = await client.saw('\r\n\r\n');
  if (!/^HTTP\/1\.1 200 .*\r\n\r\n$/s.test(answer)) throw new Error(`no tunnel: ${answer}`);
  client.socket.removeAllListeners('data');
  return new Client(client.socket);
}

/** Starts an engine over real sockets, real TLS and a real upstream; only lists and recorder stand in. */
export function createRig(options: RigOptions): Rig {
  const recorder = createMemoryRecorder();
  const bugs: unknown[] = [];
  const trust = tls.createSecureContext({ ca: options.originCa?.ca ?? [] });
  const limits = { ...DEFAULT_LIMITS, lingerMs: 200, ...options.limits };
  const engine = createEngine({
    recorder,
    policy: options.policy ?? listPolicy(options, () => rig.policyCandidates),
    names: { nameOf: (address) => options.names?.[address] },
    certificates: options.gateCa,
    upstream: createUpstream({
      resolve: (options.resolve ?? []).map(ruleOf),
      trust: () => trust,
      limits,
      proxyFor: corporateProxies(options.proxyEnv ?? {}),
      ...(options.resolveName === undefined ? {} : { resolveName: options.resolveName }),
    }),
    limits,
    onBug: (error) => bugs.push(error),
  });
  const servers: Server[] = [];
  const listen = async (arrival: Arrival): Promise<number> => {
    const server = net.createServer((socket) => engine.accept(socket, arrival));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const capturedPort: Rig['capturedPort'] = (address, port) => listen({ via: 'captured', address, port });
  const rig: Rig = {
    engine,
    recorder,
    bugs,
    policyCandidates: undefined,
    capturedPort,
    proxyPort: () => listen({ via: 'proxy' }),
    captured: async (address, port) =>
      BY_CONNECT
        ? throughConnect(await rig.proxy(), options.names?.[address] ?? address, port)
        : connectClient(await capturedPort(address, port)),
    proxy: async () => connectClient(await listen({ via: 'proxy' })),
    stop: async () => {
      for (const server of servers) server.close();
      await engine.stop();
    },
  };
  return rig;
}

function ruleOf({ host, port, address, addressPort }: Pinned): ResolveRule {
  const candidates = [{ address, port: addressPort, pinned: true }];
  return { text: `${host}:${port}:${address}:${addressPort}`, host, port, candidates };
}

function listPolicy(options: RigOptions, forced: () => readonly Candidate[] | undefined): Policy {
  const isPassed = ({ host, port }: Target): boolean =>
    options.passthrough?.includes(`${host}:${port}`) ?? false;
  return {
    byName: (target) => {
      if (options.deny?.includes(target.host)) {
        const decision = {
          verdict: 'deny',
          reason: 'denylisted',
          list: 'deny',
          pattern: target.host,
        } as const;
        return { action: 'deny', decision };
      }
      const action = isPassed(target) ? 'tunnel' : 'forward';
      return { action, decision: { verdict: 'forward', reason: 'unlisted' } };
    },
    byAddress: (_target, verdict, candidates) => {
      const isPrivate = (candidate: Candidate): boolean => !candidate.pinned;
      if (candidates.some(isPrivate)) {
        return { decision: { verdict: 'deny', reason: 'private_destination' }, candidates: [] };
      }
      return { decision: verdict.decision, candidates: forced() ?? candidates };
    },
  };
}

/** A client of the test: raw bytes out, everything received kept. */
export class Client {
  readonly socket: Socket;
  closed: 'no' | 'ended' | 'reset' = 'no';
  #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('end', () => {
      if (this.closed === 'no') this.closed = 'ended';
    });
    socket.on('error', () => {
      if (this.closed === 'no') this.closed = 'reset';
    });
    socket.on('close', () => {
      if (this.closed === 'no') this.closed = 'reset';
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Resolves with everything received once it matches. */
  async saw(what: string | RegExp, ms = 8000): Promise<string> {
    const deadline = Date.now() + ms;
    for (;;) {
      const { text } = this;
      if (typeof what === 'string' ? text.includes(what) : what.test(text)) return text;
      if (Date.now() > deadline)
        throw new Error(`the client did not see ${what}; it saw: ${text.slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Resolves with everything received once the connection is over. */
  async over(): Promise<string> {
    const deadline = Date.now() + 8000;
    while (this.closed === 'no') {
      if (Date.now() > deadline) throw new Error(`still open; the client saw: ${this.text.slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.text;
  }

  /** Talks TLS from here on. */
  async secure(options: tls.ConnectionOptions): Promise<Client> {
    this.socket.removeAllListeners('data');
    const secured = tls.connect({ socket: this.socket, ...options });
    await new Promise<void>((resolve, reject) => {
      secured.once('secureConnect', resolve);
      secured.once('error', reject);
    });
    return new Client(secured);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Connects to a port of this machine. */
export async function connectClient(port: number): Promise<Client> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  const client = new Client(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** Lets everything that is on its way arrive: long enough for loopback, short enough for a suite. */
export function settle(ms = 60): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
