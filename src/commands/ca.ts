import { createInterface } from 'node:readline/promises';
import { EXIT, GateError } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { type GatePaths, gatePaths } from '../core/paths.ts';
import { defineInstall, defineUninstall } from './ca-trust.ts';
import { command, type DefineCommand, refuseInJail, say } from './command.ts';
import type { GlobalFlags } from './global.ts';

/** `gate ca`: the local certificate authority. */
export const defineCa: DefineCommand = (context) =>
  command('ca', 'Show, replace or install the local certificate authority', [
    ['gate ca show', 'whose it is, its fingerprint, and how long it is valid'],
    ['curl --cacert "$(gate ca path)" ...', 'its certificate for a tool outside'],
    ['gate ca regenerate', 'make a new one; the old one is gone'],
    ['gate ca install', 'make the rest of this machine trust it; a run never needs this'],
  ])
    .addCommand(defineShow(context))
    .addCommand(definePath(context))
    .addCommand(defineRegenerate(context))
    .addCommand(defineInstall(context))
    .addCommand(defineUninstall(context));

const defineShow: DefineCommand = ({ io }) =>
  command('show', 'Show subject, fingerprint and validity of the local CA', [
    ['gate ca show', 'for people'],
    ['gate ca show --json', '{subject, sha256, notBefore, notAfter, path}'],
  ])
    .option('--json', 'print one JSON object')
    .action(async (flags: { json?: boolean }) => {
      const facts = await certificate(gatePaths(io.env));
      const { subject, sha256, notBefore, notAfter, path } = facts;
      const rows = [
        ['subject', subject],
        ['sha256', sha256],
        ['not before', notBefore],
        ['not after', notAfter],
        ['path', path],
      ] as const;
      const text = rows.map(([name, value]) => `${name.padEnd(10)}  ${value}\n`).join('');
      io.stdout.write(flags.json ? `${JSON.stringify(facts)}\n` : text);
    });

const definePath: DefineCommand = ({ io }) =>
  command('path', "Print the path of the local CA's certificate", [
    ['gate ca path', 'for scripts; exit code 1 where there is none yet'],
  ]).action(async () => {
    const { path } = await certificate(gatePaths(io.env));
    io.stdout.write(`${path}\n`);
  });

const defineRegenerate: DefineCommand = ({ io, finish }) =>
  command('regenerate', 'Replace the local CA by a new one', [
    ['gate ca regenerate', 'asks first; runs that are going on keep the old one'],
    ['gate ca regenerate --yes', 'for scripts'],
  ])
    .option('-y, --yes', 'do not ask')
    .action(async (flags: GlobalFlags & { yes?: boolean }) => {
      refuseInJail(io, 'the local CA');
      finish(await regenerate(io, flags));
    });

async function certificate(paths: GatePaths) {
  const { authorityFacts } = await import('../ca/facts.ts');
  const facts = authorityFacts(paths.caCert);
  if (facts !== undefined) return facts;
  throw new GateError('no_ca', 'there is no local CA yet', {
    hint: 'the first `gate run` makes it',
    exitCode: EXIT.no,
  });
}

async function regenerate(io: Io, flags: GlobalFlags & { yes?: boolean }): Promise<number> {
  const { regenerateAuthority } = await import('../ca/authority.ts');
  const { createActions } = await import('../store/actions.ts');
  const paths = gatePaths(io.env);
  if (flags.yes !== true && !(await confirm(io))) {
    say(io, flags, 'nothing changed');
    return EXIT.no;
  }
  const before = await fingerprintOrNone(paths);
  const after = regenerateAuthority(paths).cert.fingerprint256;
  createActions(paths).record('ca.regenerate', { ...(before === undefined ? {} : { before }), after });
  io.stdout.write(`${after}\n`);
  say(io, flags, 'made a new local CA; runs that are going on keep the old one');
  return EXIT.ok;
}

/** A damaged certificate is a reason to make a new one, not a reason against it. */
async function fingerprintOrNone(paths: GatePaths): Promise<string | undefined> {
  const { authorityFacts } = await import('../ca/facts.ts');
  try {
    return authorityFacts(paths.caCert)?.sha256;
  } catch {
    return undefined;
  }
}

async function confirm(io: Io): Promise<boolean> {
  if (io.stdin.isTTY !== true) {
    throw new GateError('usage', 'nobody is there to be asked', {
      hint: 'gate ca regenerate --yes',
      exitCode: EXIT.usage,
    });
  }
  const lines = createInterface({ input: io.stdin, output: io.stderr });
  try {
    // The end of the input (Ctrl-D) is an answer too: no.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    const question = lines.question(
      'Replace the local CA? Whatever was told to trust the old one must be told again. [y/N] ',
    );
    const answer = await Promise.race([question, ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
