import { EXIT, GateError } from '../core/errors.ts';
import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';

interface DemoFlags extends GlobalFlags {
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `gate demo`: gate shows what it does, offline, with an agent that behaves well and badly. */
export const defineDemo: DefineCommand = ({ io, finish }) =>
  command('demo', 'Show on this machine, offline, what gate captures, blocks, refuses and flags', [
    ['gate demo', 'a sample agent in the jail; a line for each thing it did'],
    ['gate demo --keep', 'keep its record, to look at it with gate events, show and verify'],
    ['gate demo --json', 'print one JSON object'],
  ])
    .option('--keep', 'leave the home of the demo where it is, and say where')
    .option('--json', 'print one JSON object')
    .action(async (flags: DemoFlags) => {
      const { demoText } = await import('../output/demo.ts');
      const { demo } = await import('../demo/demo.ts');
      const { watchForEnding } = await import('../demo/ending.ts');
      say(io, flags, 'demo: a sample agent in the jail, its servers on this machine, nothing leaves it');
      const ending = watchForEnding();
      try {
        const report = await demo({ env: io.env, keep: flags.keep === true, signal: ending.signal });
        io.stdout.write(
          flags.json ? `${JSON.stringify(report)}\n` : demoText(report, lookOf(io, flags).paint),
        );
        const failed = report.checks.filter(({ ok }) => !ok).map(({ title }) => title);
        if (failed.length > 0) throw notAsExpected(failed);
      } catch (error) {
        const signal = ending.by();
        if (signal === undefined) throw error;
        finish(signal);
      } finally {
        ending.stop();
      }
    });

function notAsExpected(failed: readonly string[]): GateError {
  return new GateError('demo_failed', `the demo did not go as it should: ${failed.join(', ')}`, {
    hint: 'gate doctor says what this machine lacks; do not rely on gate until then',
    exitCode: EXIT.no,
  });
}
