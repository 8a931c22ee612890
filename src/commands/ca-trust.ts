import { homedir } from 'node:os';
import { Option } from 'commander';
import type { Change, Changed, Plan } from '../ca/trust/change.ts';
import type { Machine } from '../ca/trust/store.ts';
import { STORE_NAMES, type StoreName } from '../ca/trust/stores.ts';
import { EXIT, GateError } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import { userName } from '../core/user-name.ts';
import { command, type DefineCommand, refuseInJail, say } from './command.ts';
import type { GlobalFlags } from './global.ts';

interface TrustFlags extends GlobalFlags {
  readonly store?: StoreName[];
  readonly dryRun?: boolean;
}

/** Worked on where no `--store` is given; a browser's is not missed where there is none. */
const DEFAULT_STORES: readonly StoreName[] = ['system', 'nss'];
const OPTIONAL: ReadonlySet<StoreName> = new Set(['nss']);

/** `gate ca install`: what a run never needs, for tools that are started without one. */
export const defineInstall: DefineCommand = ({ io, finish }) =>
  options('install', "Make this machine's own trust stores trust the local CA", [
    ['gate ca install --dry-run', 'the commands, and nothing done'],
    ['gate ca install', "the system's store and your browsers' databases"],
    ['gate ca install --store java', 'the Java that `keytool` belongs to'],
  ])
    .addHelpText(
      'after',
      '\nWhoever has the key of the local CA can then pretend to be any site to this machine.\n`gate run` needs none of it: in the jail everything trusts the local CA already.\n',
    )
    .action(async (flags: TrustFlags) => finish(await change('install', flags, io)));

/** `gate ca uninstall`: takes back what `gate ca install` did, of whichever local CA. */
export const defineUninstall: DefineCommand = ({ io, finish }) =>
  options('uninstall', 'Take the local CA out of the trust stores again', [
    ['gate ca uninstall --dry-run', 'the commands, and nothing done'],
    ['gate ca uninstall', 'found by its name, so after `gate ca regenerate` as well'],
  ]).action(async (flags: TrustFlags) => finish(await change('uninstall', flags, io)));

function options(name: string, summary: string, examples: readonly (readonly [string, string])[]) {
  return command(name, summary, examples)
    .addOption(
      new Option('--store <store>', 'only this store: system, nss (browsers) or java (repeatable)')
        .choices(STORE_NAMES)
        .argParser(storeNames),
    )
    .option('--dry-run', 'print the commands and do nothing');
}

/** `choices` looks at one value, and this option may be given several times. */
function storeNames(value: string, before: StoreName[] | undefined): StoreName[] {
  const name = STORE_NAMES.find((each) => each === value);
  if (name !== undefined) return [...(before ?? []), name];
  throw new GateError('usage', `--store '${value}': not a store`, {
    hint: `one of: ${STORE_NAMES.join(', ')}`,
    exitCode: EXIT.usage,
  });
}

/** Does what can be done, tells of the rest, and gives the exit code: 1 where a store was not changed. */
async function change(what: Change, flags: TrustFlags, io: Io): Promise<number> {
  refuseInJail(io, 'trust stores');
  const { planTrust } = await import('../ca/trust/change.ts');
  const paths = gatePaths(io.env);
  const machine = await machineOf(what, paths, io);
  let exit: number = EXIT.ok;
  for (const name of flags.store ?? DEFAULT_STORES) {
    try {
      const plan = planTrust(name, machine);
      if (flags.dryRun === true) await print(plan, what, io);
      else await carryOut(plan, what, { machine, paths, io });
    } catch (error) {
      if (!(error instanceof GateError) || error.exitCode !== EXIT.no) throw error;
      const needless = flags.store === undefined && OPTIONAL.has(name) && error.code === 'trust_lacking';
      say(
        io,
        needless ? flags : {},
        `${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`,
      );
      if (!needless) exit = EXIT.no;
    }
  }
  return exit;
}

async function print(plan: Plan, what: Change, io: Io): Promise<void> {
  const { commandsOf } = await import('../ca/trust/change.ts');
  for (const line of commandsOf(plan, what)) io.stdout.write(`${line}\n`);
}

interface Scene {
  readonly machine: Machine;
  readonly paths: GatePaths;
  readonly io: Io;
}

async function carryOut(plan: Plan, what: Change, { machine, paths, io }: Scene): Promise<void> {
  const { changeTrust } = await import('../ca/trust/change.ts');
  const { createActions } = await import('../store/actions.ts');
  const { authorityFacts } = await import('../ca/facts.ts');
  const actions = createActions(paths);
  changeTrust(plan, what, machine, ({ store, path, outcome }: Changed) => {
    io.stdout.write(`${store}  ${outcome === 'absent' ? 'not installed' : outcome}  ${path}\n`);
    if (outcome === 'absent') return;
    const sha256 = what === 'install' ? authorityFacts(paths.caCert)?.sha256 : undefined;
    actions.record(`ca.${what}`, { store, path, ...(sha256 === undefined ? {} : { sha256 }) });
  });
}

async function machineOf(what: Change, paths: GatePaths, io: Io): Promise<Machine> {
  const { authorityFacts } = await import('../ca/facts.ts');
  const facts = authorityFacts(paths.caCert);
  if (facts === undefined && what === 'install') {
    throw new GateError('no_ca', 'there is no local CA yet', {
      hint: 'the first `gate run` makes it, for example: gate run -- true',
      exitCode: EXIT.no,
    });
  }
  return {
    platform: process.platform,
    env: io.env,
    home: io.env['HOME'] || homedir(),
    label: `gate-local-ca-${userName().replaceAll(/[^\w.-]/g, '_')}`,
    certFile: paths.caCert,
    commonName: facts?.subject.replace(/^CN=/, '') ?? 'gate local CA',
  };
}
