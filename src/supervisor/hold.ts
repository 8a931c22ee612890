import { randomBytes } from 'node:crypto';
import { createJail } from '../../platform/index.ts';
import type { Jail, JailEvents } from '../../platform/jail.ts';
import { createPermissiveJail } from '../../platform/permissive.ts';
import type { RunMode } from '../core/config.ts';
import { GateError } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { childEnvironment } from './hygiene.ts';
import { chooseProxyPort, jailSpec } from './jail-spec.ts';
import type { Prepared } from './prepare.ts';
import { type Published, publish } from './publish.ts';
import { makeTrustFolder } from './trust-folder.ts';

/** What holds a command, whatever the mode: a jail, or the form of one. */
export interface Held {
  readonly jail: Jail;
  /** Ports of this machine itself on which gate listens: never a destination. */
  readonly ownPorts: ReadonlySet<number>;
  /** What a request on the proxy's port must present; undefined where only the jail can reach that port. */
  readonly proxyPassword?: string;
  /** Ports of this machine that lead to servers in the jail; not yet served. */
  readonly published?: Published;
  /** Said before the command starts. */
  readonly warning?: string;
  /** Removes what was made for the run besides the jail. */
  release(): void;
}

export interface HoldOptions {
  readonly prepared: Prepared;
  readonly command: readonly [string, ...string[]];
  readonly io: Pick<Io, 'env' | 'cwd'>;
  readonly events: JailEvents;
}

/** Makes what holds a command, with the command not yet started. Rejects with GateError; nothing is left over then. */
export type Hold = (options: HoldOptions) => Promise<Held>;

const airtight: Hold = async (options) => {
  const { settings, capturePorts } = options.prepared;
  refuseCaptured(settings.publish, capturePorts);
  const published = await publish(settings.publish);
  try {
    const jail = await jailOf(options);
    // The other listeners are in the jail's own network: on this machine gate has no port besides.
    return { jail, ownPorts: new Set(published.ports), published, release: published.close };
  } catch (error) {
    published.close();
    throw error;
  }
};

function jailOf({ prepared, command, io, events }: HoldOptions): Promise<Jail> {
  const { run, trust, capturePorts, paths, root } = prepared;
  const { allowSockets, publish: ports } = prepared.settings;
  const proxyPort = chooseProxyPort([...capturePorts, ...ports]);
  const isolation = 'captured';
  const env = childEnvironment(io.env, { run, proxyPort, trust: trust.paths, isolation, allowSockets });
  const { nestedNamespaces } = prepared.config.jail;
  const own = { command, env, cwd: io.cwd, paths, root };
  const spec = jailSpec({ ...own, capturePorts, proxyPort, trust, allowSockets, nestedNamespaces });
  return createJail(spec, events);
}

/** Where gate itself listens in the jail, no server of the command can. */
function refuseCaptured(ports: readonly number[], captured: readonly number[]): void {
  const taken = ports.find((port) => port === DNS_PORT || captured.includes(port));
  if (taken === undefined) return;
  const why =
    taken === DNS_PORT
      ? "it is the resolver's"
      : 'gate captures it (80, 443, or named in a list or in capture.ports)';
  throw new GateError('port_captured', `cannot publish port ${taken}: in the jail ${why}`, {
    hint: 'let the server listen on another port and publish that, for example --publish 3000',
  });
}

const DNS_PORT = 53;

const permissive: Hold = async ({ prepared, command, io }) => {
  const { run, settings } = prepared;
  const { allowSockets } = settings;
  // Everyone on this machine can reach the port, and what goes through it is put down to this command.
  const proxyPassword = randomBytes(24).toString('base64url');
  const folder = makeTrustFolder(prepared.trust);
  const isolation = 'none';
  const env = (proxyPort: number) =>
    childEnvironment(io.env, { run, proxyPort, proxyPassword, trust: folder.paths, isolation, allowSockets });
  try {
    const jail = await createPermissiveJail({ command, env, cwd: io.cwd });
    return { jail, ownPorts: portsOf(jail), proxyPassword, release: folder.remove };
  } catch (error) {
    folder.remove();
    throw error;
  }
};

const bestEffort: Hold = async (options) => {
  try {
    return await airtight(options);
  } catch (error) {
    // A port that cannot be published is the person's to change: without a jail it would be no better.
    if (!(error instanceof GateError) || isAboutPublishing(error)) throw error;
    const warning = `running without a jail, only what uses the proxy is recorded: ${error.message}`;
    return { ...(await permissive(options)), warning: warning.replaceAll(/\s*\n\s*/g, ' ') };
  }
};

function isAboutPublishing({ code }: GateError): boolean {
  return code === 'port_captured' || code === 'port_unavailable';
}

/** How each mode holds its command. */
export const HOLDS: Readonly<Record<RunMode, Hold>> = { airtight, permissive, 'best-effort': bestEffort };

/** The ports of listeners that are in this machine's own network. */
export function portsOf(jail: Pick<Jail, 'listeners'>): ReadonlySet<number> {
  return new Set(jail.listeners.map(({ port }) => port));
}
