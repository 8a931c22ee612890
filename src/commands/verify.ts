import { resolve } from 'node:path';
import { EXIT, GateError } from '../core/errors.ts';
import type { GatePaths } from '../core/paths.ts';
import type { SignerKey } from '../store/signing.ts';
import { type Context, command, type DefineCommand } from './command.ts';

interface VerifyFlags {
  readonly head?: string;
  readonly publicKey?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `gate verify`: is the record whole? */
export const defineVerify: DefineCommand = (context) =>
  command('verify', 'Check hash chains, record counts, heads and every stored body', [
    ['gate verify', 'check all runs'],
    ['gate verify last', 'check the latest run'],
    ['gate verify K3F9QZ --head 5f1d...', 'against a hash that you noted elsewhere (gate run -v prints it)'],
  ])
    .argument('[run...]', 'runs, by id, last six characters, or `last`; all where none is given')
    .option('--head <hash>', "the hash that the run's last line must have")
    .option(
      '--public-key <file>',
      'check signatures by this key, kept elsewhere, not by sign.pub of the data folder',
    )
    .option('--json', 'print one JSON object')
    .action((names: string[], flags: VerifyFlags) => check(names, flags, context));

async function check(names: readonly string[], flags: VerifyFlags, { io, finish }: Context): Promise<void> {
  const { progressLine, verdictText } = await import('../output/verdict.ts');
  const { canRedraw } = await import('../output/progress.ts');
  const { gatePaths } = await import('../core/paths.ts');
  const { findRun } = await import('../store/runs.ts');
  const { verify } = await import('../store/verify.ts');
  const paths = gatePaths(io.env);
  const runs = [...new Set(names)].map((name) => findRun(paths, name));
  const key = await publicKey(paths, flags.publicKey, io.cwd);
  const isWatched = canRedraw(io.stderr, io.env) && flags.quiet !== true;
  const verdict = await verify(paths, {
    ...(runs.length === 0 ? {} : { runs }),
    ...(flags.head === undefined ? {} : { head: headOf(flags.head, runs.length) }),
    ...(key === undefined ? {} : { key }),
    ...(isWatched
      ? { onProgress: (progress) => io.stderr.write(`\r\u001b[K${progressLine(progress)}`) }
      : {}),
  });
  if (isWatched) io.stderr.write('\r\u001b[K');
  io.stdout.write(flags.json ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
  finish(verdict.ok ? EXIT.ok : EXIT.no);
}

function headOf(text: string, runs: number): string {
  const hint = 'gate verify last --head HASH';
  if (runs !== 1) {
    throw new GateError('usage', '--head is the head of one run', { hint, exitCode: EXIT.usage });
  }
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new GateError('usage', `--head '${text}' is not a SHA-256 of 64 hex digits`, {
    hint,
    exitCode: EXIT.usage,
  });
}

async function publicKey(
  paths: GatePaths,
  file: string | undefined,
  cwd: string,
): Promise<SignerKey | undefined> {
  const { loadSignerKey, signingFiles } = await import('../store/signing.ts');
  if (file === undefined) return loadSignerKey(signingFiles(paths).open);
  const key = loadSignerKey(resolve(cwd, file));
  if (key !== undefined) return key;
  throw new GateError('usage', `there is no file ${file}`, {
    hint: 'gate verify --public-key sign.pub',
    exitCode: EXIT.usage,
  });
}
