import { EXIT } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import { gatePaths } from '../core/paths.ts';
import { command, type DefineCommand, rejectWords, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { sayUnreadable } from './reading/unreadable.ts';

interface ListsFlags extends GlobalFlags {
  readonly json?: boolean;
}

interface SuggestFlags extends ListsFlags {
  readonly run: string;
}

/** `gate lists`: the three lists with their use, and a proposal for one of them. */
export const defineLists: DefineCommand = (context) => {
  const lists = command('lists', 'Show the three lists with hit counts, conflicts and bad lines', [
    ['gate lists', 'what is on the lists, and what it did in the recorded runs'],
    ['gate lists --json', 'the same as one JSON object'],
    ['gate lists suggest --run last', 'what the allowlist lacks for what a run used'],
  ])
    .option('--json', 'print one JSON object')
    .allowExcessArguments();
  lists.action(async (flags: ListsFlags) => {
    rejectWords(lists.args, lists);
    await showLists(context.io, flags);
  });
  return lists.addCommand(defineSuggest(context));
};

const defineSuggest: DefineCommand = ({ io, finish }) =>
  command('suggest', 'Propose what the allowlist lacks for the hosts that a run used', [
    ['gate lists suggest', 'for the latest run, one pattern a line'],
    ['gate lists suggest --run K3F9QZ | xargs gate allow --', 'take all of them'],
  ])
    .option('--run <run>', 'a run, by id, last six characters, or `last`', 'last')
    .option('--json', 'print one JSON object')
    .action(async (flags: SuggestFlags) => {
      await suggest(io, flags);
      finish(EXIT.ok);
    });

async function showLists(io: Io, flags: ListsFlags): Promise<void> {
  const { createHitCounter } = await import('../policy/hits.ts');
  const { readLists } = await import('../policy/report.ts');
  const { readDecisions } = await import('../store/decisions.ts');
  const { whyUnreadable } = await import('../store/readable.ts');
  const { listRuns } = await import('../store/runs.ts');
  const { listsText } = await import('../output/lists.ts');
  const paths = gatePaths(io.env);
  const report = readLists(paths);
  const counter = createHitCounter();
  const runs = listRuns(paths);
  for (const info of runs) {
    const reason = whyUnreadable(info);
    if (reason !== undefined) {
      sayUnreadable(io, flags, [{ run: info.run, reason }]);
      continue;
    }
    for await (const { decision, at } of readDecisions(info.ledger)) counter.add(decision, at);
  }
  const listed = (name: 'deny' | 'allow' | 'passthrough') => {
    const { file, sha256, lines, errors } = report.lists[name];
    const patterns = lines.map(({ line, pattern: { text } }) => ({
      line,
      pattern: text,
      ...counter.of(name, text),
    }));
    return { file, sha256, patterns, errors };
  };
  const lists = { deny: listed('deny'), allow: listed('allow'), passthrough: listed('passthrough') };
  const all = { lists, conflicts: report.conflicts, others: counter.others(), runs: runs.length };
  io.stdout.write(flags.json ? `${JSON.stringify(all)}\n` : listsText(all, lookOf(io, flags).paint));
}

async function suggest(io: Io, flags: SuggestFlags): Promise<void> {
  const { createMatcher } = await import('../policy/match.ts');
  const { patternsOf, readLists } = await import('../policy/report.ts');
  const { createSuggester } = await import('../policy/suggest.ts');
  const { readDecisions } = await import('../store/decisions.ts');
  const { findRun } = await import('../store/runs.ts');
  const { shortRunId } = await import('../core/ids.ts');
  const paths = gatePaths(io.env);
  const { run, ledger } = findRun(paths, flags.run);
  const { deny, allow, passthrough } = patternsOf(readLists(paths).lists);
  const suggester = createSuggester({
    deny: createMatcher('deny', deny),
    allow: createMatcher('allow', allow),
    passthrough: createMatcher('passthrough', passthrough),
  });
  for await (const used of readDecisions(ledger)) suggester.add(used);
  const { patterns, blocked } = suggester.result();
  if (flags.json) {
    io.stdout.write(`${JSON.stringify({ run, patterns, blocked })}\n`);
    return;
  }
  io.stdout.write(patterns.map(({ pattern }) => `${pattern}\n`).join(''));
  if (patterns.length === 0)
    say(io, flags, `the lists cover all that run ${shortRunId(run)} was let through to`);
  for (const { pattern, requests } of blocked) {
    say(io, flags, `not proposed, since it was blocked: ${pattern} (${requests}x)`);
  }
}
