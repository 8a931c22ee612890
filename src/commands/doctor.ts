import { EXIT } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { command, type DefineCommand, refuseInJail } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';

interface DoctorFlags extends GlobalFlags {
  readonly autoRepair?: boolean;
  readonly dryRun?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `gate doctor`: is everything in place that a run needs? */
export const defineDoctor: DefineCommand = ({ io, finish }) =>
  command(
    'doctor',
    'Check this installation, prove the jail by trying to get out of it, repair what is safe',
    [
      ['gate doctor', 'one line a check, and what to do about what is wrong'],
      ['gate doctor --auto-repair', 'modes, missing folders, a stale index, a missing CA'],
      ['gate doctor --dry-run', 'tell what that would repair'],
      ['gate doctor --strict --json', 'for scripts: exit code 1 for warnings too'],
    ],
  )
    .option('--auto-repair', 'repair what is safe to repair; recorded runs and lists are never touched')
    .option('--dry-run', 'tell what --auto-repair would do, and do nothing')
    .option('--strict', 'let warnings fail, too')
    .option('--json', 'print one JSON object')
    .action(async (flags: DoctorFlags) => {
      if (flags.autoRepair && !flags.dryRun) refuseInJail(io, "gate's own files");
      finish(await examine(io, flags));
    });

async function examine(io: Io, flags: DoctorFlags): Promise<number> {
  const { runChecks } = await import('../doctor/runner.ts');
  const { CHECKS } = await import('../doctor/checks/list.ts');
  const { gatePaths } = await import('../core/paths.ts');
  const { packageRoot } = await import('../core/package-root.ts');
  const { env, cwd } = io;
  const isDryRun = flags.dryRun === true;
  const context = { env, cwd, paths: () => gatePaths(env), root: packageRoot, inside: env['GATE_RUN'] };
  const results = await runChecks(CHECKS, context, isDryRun ? 'tell' : flags.autoRepair ? 'do' : 'no');
  const bad = flags.strict ? ['fail', 'warn'] : ['fail'];
  const ok = !results.some(({ status }) => bad.includes(status));
  const code = ok ? EXIT.ok : EXIT.no;
  await print(io, flags, results, { isDryRun, ok });
  // What hangs would keep this process alive for as long.
  if (results.some(({ hung }) => hung)) process.exit(code);
  return code;
}

async function print(
  io: Io,
  flags: DoctorFlags,
  results: Parameters<typeof import('../output/doctor.ts').doctorText>[0],
  view: { readonly isDryRun: boolean; readonly ok: boolean },
): Promise<void> {
  const { doctorJson, doctorText, speaksUtf8 } = await import('../output/doctor.ts');
  const text = flags.json
    ? `${JSON.stringify(doctorJson(results, view))}\n`
    : doctorText(results, view, { paint: lookOf(io, flags).paint, unicode: speaksUtf8(io.env) });
  await new Promise<void>((written) => io.stdout.write(text, () => written()));
}
