import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { loadOrCreateAuthority } from '../ca/authority.ts';
import { type TrustView, trustView } from '../ca/bundle.ts';
import { createLeafIssuer, type LeafIssuer } from '../ca/leaf.ts';
import { createUpstreamContext } from '../ca/upstream.ts';
import type { Config } from '../core/config.ts';
import { EXIT, GateError, messageOf } from '../core/errors.ts';
import { newRunId, type RunId } from '../core/ids.ts';
import { packageRoot } from '../core/package-root.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import type { Policy } from '../core/policy.ts';
import { machineAddresses } from '../policy/address.ts';
import { readConfig } from '../policy/config.ts';
import { createPolicy } from '../policy/decide.ts';
import { createLists, type Lists, type ListsOptions } from '../policy/lists.ts';
import { type AgentProfile, agentProfile } from '../policy/profiles.ts';
import { namedPorts, runPatterns } from '../policy/run-patterns.ts';
import { type ChooseProxy, corporateProxies } from '../proxy/corporate/environment.ts';
import { type AddressPool, createAddressPool } from '../proxy/dns/pool.ts';
import { type RunFlags, type RunSettings, runSettings } from './settings.ts';

/** Everything that is read and decided before anything of a run exists. */
export interface Prepared {
  readonly run: RunId;
  readonly paths: GatePaths;
  readonly root: string;
  readonly config: Config;
  readonly configSha256: string;
  readonly settings: RunSettings;
  readonly agent: AgentProfile | undefined;
  readonly lists: Lists;
  /** The policy, given the ports of this machine on which gate listens. */
  readonly policy: (ownPorts: ReadonlySet<number>) => Policy;
  readonly leaves: LeafIssuer;
  readonly trust: TrustView;
  readonly upstreamTrust: () => SecureContext;
  /** The user's own corporate proxies. */
  readonly proxyFor: ChooseProxy;
  readonly capturePorts: readonly number[];
  /** The addresses that this run's resolver gives, and the names they stand for. */
  readonly pool: AddressPool;
}

export interface PrepareOptions {
  readonly program: string;
  readonly flags: RunFlags;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly onReload: NonNullable<ListsOptions['onReload']>;
}

/** Reads config, lists and authority (made on first use). Throws GateErrors, all of which end the run with 125. */
export function prepare(options: PrepareOptions): Prepared {
  const { env, cwd } = options;
  refuseNested(env);
  const paths = gatePaths(env);
  makeFolders(paths);
  const { config, sha256 } = readConfig(paths.configFile);
  const settings = runSettings(options.flags, config, cwd);
  const root = packageRoot();
  const agent = agentProfile(join(root, 'profiles', 'agents'), options.program);
  // Once there is an allowlist, it alone says what an agent may reach.
  const profileHosts = existsSync(paths.allowlist) ? [] : (agent?.hosts ?? []);
  const extra = runPatterns({ ...settings.patterns, profileHosts });
  const lists = createLists({ paths, extra, onReload: options.onReload });
  const authority = loadOrCreateAuthority(paths);
  const capturePorts = [...new Set([80, 443, ...config.capture.ports, ...namedPorts(lists.patterns())])];
  return {
    run: newRunId(),
    paths,
    root,
    config,
    configSha256: sha256,
    settings,
    agent,
    lists,
    policy: (ownPorts) => listPolicy(lists, settings.enforce, ownPorts),
    leaves: createLeafIssuer(authority),
    trust: trustView({ authority, caDir: paths.caDir, env }),
    upstreamTrust: createUpstreamContext(env, settings.upstreamCa),
    proxyFor: corporateProxies(env),
    capturePorts,
    pool: createAddressPool(config.dns.pool),
  };
}

function listPolicy(lists: Lists, enforce: boolean, ownPorts: ReadonlySet<number>): Policy {
  const ownAddresses = machineAddresses();
  return createPolicy(() => ({
    lists: lists.matchers(),
    enforce,
    ownPorts,
    ownAddresses,
  }));
}

/** A jail in a jail would record into a ledger that nobody sees. */
function refuseNested(env: NodeJS.ProcessEnv): void {
  if (env['GATE_RUN'] === undefined) return;
  throw new GateError(
    'nested',
    `already inside gate run ${env['GATE_RUN']}: this command is recorded as it is`,
    {
      hint: 'run the command without gate',
    },
  );
}

function makeFolders(paths: GatePaths): void {
  try {
    for (const folder of [paths.config, paths.data]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new GateError('no_home', `cannot make gate's folders: ${messageOf(error)}`, {
      hint: 'set GATE_HOME to a folder that you may write to',
      exitCode: EXIT.internal,
      cause: error,
    });
  }
}
