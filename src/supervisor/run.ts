import type { CommandEnd, Jail } from '../../platform/jail.ts';
import { type OpenedRecord, openRecord, type RunRecord } from '../capture/run-record.ts';
import { GateError, messageOf } from '../core/errors.ts';
import { shortRunId } from '../core/ids.ts';
import type { Io } from '../core/io.ts';
import { namedPorts } from '../policy/run-patterns.ts';
import type { RunHead } from '../store/run-head.ts';
import { refusedFacts, startFacts, widenings } from './facts.ts';
import { type Held, HOLDS, type Hold } from './hold.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type Serving, serveHeld } from './serve.ts';
import type { RunFlags } from './settings.ts';
import { type RunSignals, takeSignals } from './signals.ts';
import { refusedLine, summaryLine } from './summary.ts';
import { leaveTerminalModes } from './terminal.ts';

type Command = readonly [string, ...string[]];
export type Exit = number | NodeJS.Signals;

/**
 * One run, from nothing to its summary line: jails the command, records what it sends, and says how it ended.
 * Throws GateError, exit code 125, where gate cannot do its job; 126 or 127 where the command cannot be started.
 * `hold` stands in for what the mode would hold the command in.
 */
export async function run(command: Command, flags: RunFlags, io: Io, hold?: Hold): Promise<Exit> {
  let record: RunRecord | undefined;
  leaveTerminalModes();
  const prepared = prepare({
    program: command[0],
    flags,
    env: io.env,
    cwd: io.cwd,
    onReload: (facts) => void record?.note('list.reload', facts).catch(ignore),
  });
  const holdCommand = hold ?? HOLDS[prepared.settings.mode];
  // The record is opened while the jail is made.
  const standing = holdCommand({
    prepared,
    command,
    io,
    events: {
      // Attempts are recorded from the moment there is a record; none can happen before the command runs.
      refused: (attempt) => record?.recorder.refused(refusedFacts(attempt, prepared)),
    },
  });
  // From here on there is a record to lose.
  const signals = takeSignals();
  const { held, opened } = await both(standing, () =>
    openRecord(prepared.paths, prepared.run, prepared.config.record),
  );
  try {
    record = await opened.begin(startFacts(prepared, command, io, held.jail));
    return await live({ prepared, held, record, signals, io });
  } catch (error) {
    held.jail.destroy();
    throw error;
  } finally {
    held.release();
  }
}

/** A jail without a record, and a record without a jail, come to nothing: what stands is taken down. */
async function both(
  standing: Promise<Held>,
  open: () => OpenedRecord,
): Promise<{ held: Held; opened: OpenedRecord }> {
  let opened: OpenedRecord;
  try {
    opened = open();
  } catch (error) {
    void standing.then(takeDown, ignore);
    throw error;
  }
  try {
    return { held: await standing, opened };
  } catch (error) {
    // What kept the jail from standing is what the person must know; files that stay are an empty run.
    await opened.discard().catch(ignore);
    throw error;
  }
}

function takeDown({ jail, release }: Held): void {
  jail.destroy();
  release();
}

interface Live {
  readonly prepared: Prepared;
  readonly held: Held;
  readonly record: RunRecord;
  readonly signals: RunSignals;
  readonly io: Io;
}

/** From a standing jail and an open record to the end of both. */
async function live({ prepared, held, record, signals, io }: Live): Promise<Exit> {
  const { jail } = held;
  let failure: GateError | undefined;
  record.onFailure((error) => {
    failure ??= error;
  });
  const serving = serveHeld(prepared, held, record);
  prepared.lists.start();
  if (held.warning !== undefined) io.stderr.write(`gate: ${held.warning}\n`);
  const end = await commandEnd(jail, signals, prepared.config.run.killAfterMs);
  signals.stop();
  prepared.lists.stop();
  const closed = await closeRecord(serving, record, end);
  if (closed instanceof GateError) failure ??= closed;
  if (end instanceof GateError) throw end;
  if (!prepared.settings.quiet) io.stderr.write(`${summaryOf(prepared, held, record)}\n`);
  if (prepared.settings.verbose && !(closed instanceof GateError)) io.stderr.write(headLine(closed));
  io.stderr.write(bugLines(serving.bugs));
  if (failure !== undefined) throw failure;
  return exitOf(end);
}

/** Starts the command, unless it was told to end before that, and waits for its end. */
async function commandEnd(
  jail: Jail,
  signals: RunSignals,
  killAfterMs: number,
): Promise<CommandEnd | GateError> {
  const early = signals.early();
  if (early !== undefined) {
    jail.destroy();
    return early;
  }
  signals.forward(jail, killAfterMs);
  try {
    await jail.launch();
    return await jail.ended;
  } catch (error) {
    jail.destroy();
    if (error instanceof GateError) return error;
    return new GateError('jail_failed', messageOf(error), { cause: error });
  }
}

/** Writes the end of the record; gives the failure instead of throwing it, since the run has ended either way. */
async function closeRecord(
  serving: Serving,
  record: RunRecord,
  end: CommandEnd | GateError,
): Promise<RunHead | GateError> {
  try {
    await serving.stop();
    return await record.end(endFacts(end));
  } catch (error) {
    return error instanceof GateError
      ? error
      : new GateError('audit_unavailable', messageOf(error), { cause: error });
  }
}

function bugLines({ first, count }: Serving['bugs']): string {
  const lines = first.map((bug) => `gate: internal error, please report it: ${detailOf(bug)}\n`);
  if (count > first.length) lines.push(`gate: and ${count - first.length} more internal errors\n`);
  return lines.join('');
}

/** To be noted elsewhere: `gate verify --head` takes it back. */
function headLine({ head, records }: RunHead): string {
  return `gate: head ${head} (records ${records})\n`;
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

function summaryOf(prepared: Prepared, { jail }: Held, record: RunRecord): string {
  const counts = record.counts();
  const bad = prepared.lists.errors().map((line) => `\ngate: not in force: ${line}`);
  const widened = [...(jail.platform === 'none' ? ['no jail'] : []), ...widenings(prepared)];
  const helpful = refusedLine(record.refusedTargets(), namedPorts(prepared.lists.patterns()));
  const line = summaryLine(record.run, counts, widened, `gate events run:${shortRunId(record.run)}`);
  return [line, ...(helpful === undefined ? [] : [helpful])].join('\n') + bad.join('');
}

function detailOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function ignore(): void {}
