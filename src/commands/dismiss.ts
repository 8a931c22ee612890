import { EXIT, GateError, messageOf } from '../core/errors.ts';
import { shortExchangeId } from '../core/ids.ts';
import type { Io } from '../core/io.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import { RULE_CODES, type RuleCode } from '../core/rules.ts';
import type { DismissalTarget } from '../policy/dismissals.ts';
import { command, type DefineCommand, refuseInJail, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { nearest } from './nearest.ts';
import { findExchange, ID_HELP, noSuchExchange } from './reading/exchange-id.ts';
import { withIndex } from './reading/open.ts';
import { recordAction } from './record-action.ts';

interface DismissFlags extends GlobalFlags {
  readonly host?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly undo?: boolean;
  readonly json?: boolean;
}

/** `gate dismiss`: silence a flag, with a reason. */
export const defineDismiss: DefineCommand = ({ io, finish }) =>
  command('dismiss', 'Silence a flag that was looked at, with a reason', [
    ['gate dismiss K3F9QZ:42 --reason "a test key"', 'all flags of one exchange'],
    ['gate dismiss K3F9QZ:42 --code oversized_request --reason "an upload"', 'one of them'],
    ['gate dismiss --host cdn.example.com --code oversized_response --reason "releases"', 'of a host'],
    ['gate dismiss --undo K3F9QZ:42', 'hear of them again'],
  ])
    .argument('[id]', ID_HELP)
    .option('--host <host>', 'this flag of all exchanges with the host, those to come too')
    .option('--code <code>', 'the rule; see: gate help rules')
    .option('--reason <text>', 'why; kept in dismissals.json and in the record of actions')
    .option('--undo', 'take a dismissal back')
    .option('--json', 'print one JSON object')
    .action(async (id: string | undefined, flags: DismissFlags) => {
      refuseInJail(io, 'what is dismissed');
      const target = await targetOf(id, flags, io);
      finish(flags.undo === true ? await undo(target, flags, io) : await dismiss(target, flags, io));
    });

async function targetOf(id: string | undefined, flags: DismissFlags, io: Io): Promise<DismissalTarget> {
  const code = flags.code === undefined ? {} : { code: ruleCode(flags.code) };
  if ((id === undefined) === (flags.host === undefined)) {
    throw usage('name an exchange, or a host with --host', 'gate dismiss --help');
  }
  if (id !== undefined) {
    const { run, seq } = await findExchange(id, gatePaths(io.env));
    return { exchange: `${run.run}:${seq}`, ...code };
  }
  if (flags.code === undefined) throw usage('--host needs --code', `one of: ${RULE_CODES.join(', ')}`);
  const { canonicalHost } = await import('../policy/host.ts');
  const host = canonicalHost(flags.host ?? '');
  if (host === undefined)
    throw usage(`'${flags.host}' is no host name and no address`, 'gate dismiss --help');
  return { host, ...code };
}

function ruleCode(typed: string): RuleCode {
  const found = RULE_CODES.find((code) => code === typed.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(typed, RULE_CODES);
  throw usage(
    `there is no rule '${typed}'`,
    meant === undefined ? `one of: ${RULE_CODES.join(', ')}` : `Did you mean ${meant}?`,
  );
}

async function dismiss(target: DismissalTarget, flags: DismissFlags, io: Io): Promise<number> {
  const reason = flags.reason?.trim() ?? '';
  if (reason === '') throw usage('a dismissal needs a reason', 'gate dismiss … --reason "why"');
  await expectFlags(target, flags, io);
  const { addDismissal } = await import('../policy/dismissals.ts');
  const paths = gatePaths(io.env);
  await writing(paths, () =>
    addDismissal(paths.dismissals, { ...target, reason, at: new Date().toISOString() }),
  );
  await recordAction(paths, 'dismiss', { ...target, reason }, CHANGED);
  report({ ...target, reason }, flags, io, `dismissed: ${named(target)}`);
  return EXIT.ok;
}

async function undo(target: DismissalTarget, flags: DismissFlags, io: Io): Promise<number> {
  const { removeDismissal } = await import('../policy/dismissals.ts');
  const paths = gatePaths(io.env);
  const removed = await writing(paths, () => removeDismissal(paths.dismissals, target));
  if (removed.length === 0) {
    throw new GateError('not_dismissed', `there is no dismissal of ${named(target)}`, {
      hint: `see ${paths.dismissals}`,
      exitCode: EXIT.no,
    });
  }
  await recordAction(paths, 'dismiss.undo', target, CHANGED);
  report(target, flags, io, `no longer dismissed: ${named(target)}`);
  return EXIT.ok;
}

/** What is dismissed of an exchange must be there; a host may have its flags in time to come. */
async function expectFlags({ exchange, code }: DismissalTarget, flags: DismissFlags, io: Io): Promise<void> {
  if (exchange === undefined) return;
  await withIndex(io, flags, async ({ paths, events }) => {
    const wanted = await findExchange(exchange, paths);
    const found = events.one(wanted.run.run, wanted.seq);
    if (found === undefined) throw noSuchExchange(wanted);
    const all = found.event.flags;
    if (all.some((flag) => code === undefined || flag.code === code)) return;
    throw new GateError(
      'no_such_flag',
      `${shortExchangeId(exchange)} has no flag${code === undefined ? '' : ` ${code}`}`,
      {
        hint: `gate show ${shortExchangeId(exchange)}`,
        exitCode: EXIT.no,
      },
    );
  });
}

async function writing<T>({ dismissals }: GatePaths, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof GateError) throw error;
    throw new GateError('dismissals_unwritable', `cannot change ${dismissals}: ${messageOf(error)}`, {
      hint: 'gate doctor',
      cause: error,
    });
  }
}

const CHANGED = { message: 'dismissals.json was changed, but not recorded', hint: 'gate verify' };

function report(done: object, flags: DismissFlags, io: Io, text: string): void {
  if (flags.json === true) io.stdout.write(`${JSON.stringify(done)}\n`);
  else say(io, flags, text);
}

function named({ exchange, host, code }: DismissalTarget): string {
  return `${code ?? 'every flag'} of ${exchange === undefined ? host : shortExchangeId(exchange)}`;
}

function usage(message: string, hint: string): GateError {
  return new GateError('usage', message, { hint, exitCode: EXIT.usage });
}
