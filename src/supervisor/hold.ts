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
import { makeTrustFolder } from './trust-folder.ts';

/** What holds a command, whatever the mode: a jail, or the form of one. */
export interface Held {
  readonly jail: Jail;
  /** Ports of this machine itself on which gate listens: never a destination. */
  readonly ownPorts: ReadonlySet<number>;
  /** What a request on the proxy's port must present; undefined where only the jail can reach that port. */
  readonly proxyPassword?: string;
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

const airtight: Hold = async ({ prepared, command, io, events }) => {
  const { run, trust, capturePorts, paths, root } = prepared;
  const { allowSockets } = prepared.settings;
  const proxyPort = chooseProxyPort(capturePorts);
  const isolation = 'captured';
  const env = childEnvironment(io.env, { run, proxyPort, trust: trust.paths, isolation, allowSockets });
  const { nestedNamespaces } = prepared.config.jail;
  const own = { command, env, cwd: io.cwd, paths, root };
  const spec = jailSpec({ ...own, capturePorts, proxyPort, trust, allowSockets, nestedNamespaces });
  // The listeners are in the jail's own network: on this machine gate has no port.
  return { jail: await createJail(spec, events), ownPorts: new Set(), release: () => undefined };
};

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
    if (!(error instanceof GateError)) throw error;
    const warning = `running without a jail, only what uses the proxy is recorded: ${error.message}`;
    return { ...(await permissive(options)), warning: warning.replaceAll(/\s*\n\s*/g, ' ') };
  }
};

/** How each mode holds its command. */
export const HOLDS: Readonly<Record<RunMode, Hold>> = { airtight, permissive, 'best-effort': bestEffort };

/** The ports of listeners that are in this machine's own network. */
export function portsOf(jail: Pick<Jail, 'listeners'>): ReadonlySet<number> {
  return new Set(jail.listeners.map(({ port }) => port));
}
