import { type Analysis, createAnalysis } from '../analysis/analysis.ts';
import { loadMaskKey } from '../capture/mask-key.ts';
import type { RunRecord } from '../capture/run-record.ts';
import { runPaths } from '../core/paths.ts';
import { createMatcher } from '../policy/match.ts';
import { parsePattern } from '../policy/pattern.ts';
import type { Held } from './hold.ts';
import type { Prepared } from './prepare.ts';

/** Lets the exchanges of a run be analysed. `finish` comes after everything has ended, and before `run.end`. */
export function analyseRun(
  prepared: Prepared,
  held: Pick<Held, 'jail'>,
  record: RunRecord,
): { finish(): Promise<void> } {
  const { config, paths, lists } = prepared;
  const { ledger, pack } = runPaths(paths, record.run);
  const mcpHosts = knownMcpHosts(config.rules.mcpHosts);
  const writing = new Set<Promise<void>>();
  const analysis: Analysis = createAnalysis({
    setup: {
      ledger,
      pack,
      maskKey: loadMaskKey(paths),
      rules: config.rules,
      jailed: held.jail.platform !== 'none',
      scanBytes: config.analysis.scanBytes,
    },
    allowlisted: (host, port) => lists.matchers().allow.match(host, port) !== undefined,
    knownMcpHost: mcpHosts,
    done(job, { fields, content }, failure) {
      if (failure !== undefined) record.counter.add('unanalysed');
      for (const flag of fields.flags) record.counter.flag(job.host, flag);
      // Whoever owns the record is told of its failure; here there is nothing left to do.
      const written = record.analysis(job.seq, fields, Buffer.from(content)).catch(() => undefined);
      writing.add(written);
      void written.then(() => writing.delete(written));
    },
  });
  record.observe(analysis);
  return {
    async finish() {
      await analysis.finish(config.analysis.patienceMs);
      await Promise.all(writing);
    },
  };
}

/** A port is not asked for: an MCP server may be at any. */
function knownMcpHosts(patterns: readonly string[]): (host: string, port: number) => boolean {
  const parsed = patterns.map((text) => parsePattern(text));
  const matcher = createMatcher(
    'deny',
    parsed.flatMap((each) => ('pattern' in each ? [each.pattern] : [])),
  );
  return (host, port) => matcher.match(host, port) !== undefined;
}
