import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { sayUnreadable } from './reading/unreadable.ts';

type Options = GlobalFlags & { json?: boolean };

/** `gate reindex`: the index, from nothing but the ledgers. */
export const defineReindex: DefineCommand = ({ io }) =>
  command('reindex', 'Make the index anew from the ledgers', [
    ['gate reindex', 'also while runs record and others read'],
    ['gate reindex --json', 'print what was read as one JSON object'],
  ])
    .option('--json', 'print one JSON object')
    .action(async (options: Options) => {
      const { gatePaths } = await import('../core/paths.ts');
      const { createProgress } = await import('../output/progress.ts');
      const { shortDuration } = await import('../output/time.ts');
      const { rebuildIndex } = await import('../store/index/rebuild.ts');
      const started = performance.now();
      const progress = createProgress({
        stream: io.stderr,
        env: io.env,
        quiet: options.quiet,
        what: 'reading the ledgers',
      });
      const result = await rebuildIndex(gatePaths(io.env), { onProgress: progress.update }).finally(
        progress.clear,
      );
      const durationMs = Math.round(performance.now() - started);
      if (options.json) io.stdout.write(`${JSON.stringify({ ...result, durationMs })}\n`);
      const runs = `${result.runs} run${result.runs === 1 ? '' : 's'}`;
      say(io, options, `indexed ${result.records} records of ${runs} in ${shortDuration(durationMs)}`);
      sayUnreadable(io, options, result.unreadable);
      if (result.damaged > 0 || result.lostBodies > 0) {
        const what = `${result.damaged} lines and ${result.lostBodies} bodies could not be read`;
        say(io, options, `${what}; the rest is there\n  gate verify`);
      }
    });
