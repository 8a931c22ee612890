import { hostname } from 'node:os';
import type { Jail, RefusedAttempt } from '../../platform/jail.ts';
import type { RunStartFacts } from '../capture/run-record.ts';
import type { RefusedFacts } from '../core/exchange.ts';
import type { Io } from '../core/io.ts';
import { userName } from '../core/user-name.ts';
import { GATE_VERSION } from '../core/version.ts';
import { machineAddresses } from '../policy/address.ts';
import { localReach } from '../policy/local-reach.ts';
import { agentVersion } from './agent-version.ts';
import { gitFacts } from './git.ts';
import type { Prepared } from './prepare.ts';

/** What `run.start` says of a run. */
export function startFacts(
  prepared: Prepared,
  argv: readonly string[],
  io: Pick<Io, 'cwd' | 'env'>,
  jail: Pick<Jail, 'platform' | 'features'>,
): Omit<RunStartFacts, 'run'> {
  const git = gitFacts(io.cwd);
  const agent = agentFacts(prepared, argv, io);
  return {
    argv: [...argv],
    cwd: io.cwd,
    pid: process.pid,
    user: userName(),
    host: hostname(),
    mode: prepared.settings.mode,
    enforce: prepared.settings.enforce,
    jail: { platform: jail.platform, features: [...jail.features], widened: widenings(prepared) },
    ...(agent === undefined ? {} : { agent }),
    ...(git === undefined ? {} : { git }),
    labels: { ...prepared.settings.labels },
    gate: GATE_VERSION,
    lists: prepared.lists.hashes(),
    config: prepared.configSha256,
  };
}

function agentFacts(
  { agent }: Prepared,
  [program = '']: readonly string[],
  io: Pick<Io, 'cwd' | 'env'>,
): RunStartFacts['agent'] {
  if (agent === undefined) return undefined;
  const version = agentVersion(program, io);
  return { name: agent.name, ...(version === undefined ? {} : { version }) };
}

/**
 * What this run lets through that the bare jail would not, as it stands in the record and in the summary. A command
 * that is not held at all is told by its mode: nothing widens what is not there.
 */
export function widenings({ settings, lists }: Prepared): string[] {
  if (settings.mode === 'permissive') return [];
  return [
    ...localReach(lists.patterns(), settings.resolve, machineAddresses()),
    ...settings.publish.map((port) => `publish:${port}`),
    ...settings.allowSockets.map((path) => `socket:${path}`),
  ];
}

/** What is recorded of an attempt that the jail refused: with the name that was asked for, where it had one. */
export function refusedFacts(attempt: RefusedAttempt, { pool }: Pick<Prepared, 'pool'>): RefusedFacts {
  const { proto, address, port, count } = attempt;
  const host = pool.nameOf(address);
  return {
    proto,
    ...(host === undefined ? {} : { host }),
    address,
    ...(port === undefined ? {} : { port }),
    reason: proto === 'unix' ? 'socket_outside' : 'port_not_captured',
    count,
  };
}
