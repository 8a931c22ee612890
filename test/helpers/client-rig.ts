import net, { type AddressInfo, type Server } from 'node:net';
import tls from 'node:tls';
import type { Candidate, Policy, Target } from '../../src/core/policy.ts';
import type { ResolveRule } from '../../src/policy/resolve-rule.ts';
import { corporateProxies } from '../../src/proxy/corporate/environment.ts';
import { type Origin as Arrival, createEngine, type Engine } from '../../src/proxy/engine.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/proxy/limits.ts';
import { createUpstream } from '../../src/proxy/upstream.ts';
import type { TestAuthority } from './certs.ts';
import { Client, connectClient } from './client.ts';
import { createMemoryRecorder, type MemoryRecorder } from './memory-recorder.ts';
import { OTHER_PROXY } from './other-proxy.ts';

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
  /** Records the length of bodies only: for those too long to keep. */
  readonly countOnly?: boolean;
  /** What the test is about, where only gate has it: another proxy is not asked. */
  readonly about?: string;
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
  /** Checks what only gate has, its record and its words; left out where another proxy stands in its place. */
  gateOnly(check: () => Promise<void> | void): Promise<void>;
  capturedPort(address: string, port: number): Promise<number>;
  stop(): Promise<void>;
}

/**
 * With `GATE_TEST_ARRIVAL=connect`, what would be captured comes to the proxy and asks for the same host by CONNECT.
 * To another proxy nothing comes otherwise.
 */
export const BY_CONNECT = process.env['GATE_TEST_ARRIVAL'] === 'connect' || OTHER_PROXY !== undefined;

/** Asks the proxy, on a new connection, for a tunnel. */
export async function throughConnect(client: Client, host: string, port: number): Promise<Client> {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  client.send(`CONNECT ${where} HTTP/1.1\r\nHost: ${where}\r\n\r\n`);
  const answer = await client.saw('\r\n\r\n');
  if (!/^HTTP\/1\.1 200 .*\r\n\r\n$/s.test(answer)) throw new Error(`no tunnel: ${answer}`);
  client.socket.removeAllListeners('data');
  return new Client(client.socket);
}

/** Starts an engine over real sockets, real TLS and a real upstream; only lists and recorder stand in. */
export function createRig(options: RigOptions): Rig {
  const recorder = createMemoryRecorder({ countOnly: options.countOnly ?? false });
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
    gateOnly: async (check) => check(),
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
