import { hostname, userInfo } from 'node:os';
import { createJail } from '../../platform/index.ts';
import type { CommandEnd, Jail } from '../../platform/jail.ts';
import { type OpenedRecord, openRecord, type RunRecord } from '../capture/run-record.ts';
import { GateError, messageOf } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { GATE_VERSION } from '../core/version.ts';
import { gitFacts } from './git.ts';
import { childEnvironment } from './hygiene.ts';
import { jailSpec } from './jail-spec.ts';
import { type Prepared, prepare } from './prepare.ts';
import { serveJail } from './serve.ts';
import type { RunFlags } from './settings.ts';
import { forwardSignals } from './signals.ts';
import { summaryLine } from './summary.ts';

type Command = readonly [string, ...string[]];
type Exit = number | NodeJS.Signals;

/**
 * One run, from nothing to its summary line: jails the command, records what it sends, and says how it ended.
 * Throws GateError, exit code 125, where gate cannot do its job; 126 or 127 where the command cannot be started.
 */
export async function run(command: Command, flags: RunFlags, io: Io): Promise<Exit> {
  let record: RunRecord | undefined;
  const prepared = prepare({
    program: command[0],
    flags,
    env: io.env,
    cwd: io.cwd,
    onReload: (facts) => void record?.note('list.reload', facts).catch(ignore),
  });
  // While the helper makes the jail, the store's worker starts.
  const standing = createJail(specOf(prepared, command, io), {
    // Attempts are recorded from the moment there is a record; none can happen before the command runs.
    refused: ({ proto, address, port, count }) => {
      const where = port === undefined ? { address } : { address, port };
      record?.recorder.refused({ proto, ...where, reason: 'port_not_captured', count });
    },
  });
  const { jail, opened } = await both(standing, () => openRecord(prepared.paths, prepared.run));
  try {
    record = await opened.begin(startFacts(prepared, command, io, jail));
  } catch (error) {
    jail.destroy();
    throw error;
  }
  return await live({ prepared, jail, record, io });
}

/** A jail without a record, and a record without a jail, come to nothing: what stands is taken down. */
async function both(
  standing: Promise<Jail>,
  open: () => OpenedRecord,
): Promise<{ jail: Jail; opened: OpenedRecord }> {
  let opened: OpenedRecord;
  try {
    opened = open();
  } catch (error) {
    void standing.then((jail) => jail.destroy(), ignore);
    throw error;
  }
  try {
    return { jail: await standing, opened };
  } catch (error) {
    await opened.discard();
    throw error;
  }
}

interface Live {
  readonly prepared: Prepared;
  readonly jail: Jail;
  readonly record: RunRecord;
  readonly io: Io;
}

/** From a standing jail and an open record to the end of both. */
async function live({ prepared, jail, record, io }: Live): Promise<Exit> {
  let failure: GateError | undefined;
  record.onFailure((error) => {
    failure ??= error;
  });
  const serving = serveJail(prepared, jail, record);
  const signals = forwardSignals(jail, prepared.config.run.killAfterMs);
  prepared.lists.start();
  let end: CommandEnd | GateError;
  try {
    await jail.launch();
    end = await jail.ended;
  } catch (error) {
    jail.destroy();
    end =
      error instanceof GateError ? error : new GateError('jail_failed', messageOf(error), { cause: error });
  }
  signals.stop();
  prepared.lists.stop();
  await serving.stop();
  failure ??= await closeRecord(record, end);
  if (end instanceof GateError) throw end;
  if (!prepared.settings.quiet) io.stderr.write(`${summaryOf(prepared, record)}\n`);
  if (failure !== undefined) throw failure;
  return exitOf(end);
}

/** Writes the end of the record; gives the failure instead of throwing it, since the run has ended either way. */
async function closeRecord(record: RunRecord, end: CommandEnd | GateError): Promise<GateError | undefined> {
  try {
    await record.end(endFacts(end));
    return undefined;
  } catch (error) {
    return error instanceof GateError
      ? error
      : new GateError('audit_unavailable', messageOf(error), { cause: error });
  }
}

function endFacts(end: CommandEnd | GateError): { exitCode?: number; signal?: string } {
  if ('signal' in end) return { signal: end.signal };
  return { exitCode: end.exitCode };
}

function exitOf(end: CommandEnd): Exit {
  if ('exitCode' in end) return end.exitCode;
  // A shell loop around gate goes on after exit code 130, and stops after SIGINT.
  return end.signal === 'SIGINT' ? 'SIGINT' : 128 + end.number;
}

function specOf(prepared: Prepared, command: Command, io: Io) {
  const { paths, root, settings, trust, capturePorts, proxyPort, config } = prepared;
  const { allowSockets } = settings;
  const env = childEnvironment(io.env, {
    run: prepared.run,
    proxyPort,
    trust: trust.paths,
    isolation: 'captured',
    allowSockets,
  });
  const nestedNamespaces = config.jail.nestedNamespaces;
  return jailSpec({
    command,
    env,
    cwd: io.cwd,
    paths,
    root,
    capturePorts,
    proxyPort,
    trust,
    allowSockets,
    nestedNamespaces,
  });
}

function startFacts(prepared: Prepared, command: Command, io: Io, jail: Jail) {
  const git = gitFacts(io.cwd);
  return {
    argv: [...command],
    cwd: io.cwd,
    pid: process.pid,
    user: userName(),
    host: hostname(),
    mode: 'airtight' as const,
    enforce: prepared.settings.enforce,
    jail: { platform: jail.platform, features: [...jail.features], widened: widenings(prepared) },
    ...(prepared.agent === undefined ? {} : { agent: { name: prepared.agent.name } }),
    ...(git === undefined ? {} : { git }),
    labels: { ...prepared.settings.labels },
    gate: GATE_VERSION,
    lists: prepared.lists.hashes(),
    config: prepared.configSha256,
  };
}

/** What this run lets through that the bare jail would not, as it stands in the record and in the summary. */
function widenings({ settings }: Prepared): string[] {
  return [
    ...settings.patterns.allowLocal.map((port) => `local:${port}`),
    ...settings.allowSockets.map((path) => `socket:${path}`),
  ];
}

function summaryOf(prepared: Prepared, record: RunRecord): string {
  const counts = { ...record.counts(), highFlags: 0 };
  const bad = prepared.lists.errors().map((line) => `\ngate: not in force: ${line}`);
  return summaryLine(record.run, counts, widenings(prepared), 'gate verify last') + bad.join('');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in passwd has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

function ignore(): void {}
