import type { Scanner } from '../analysis/decode/scan.ts';
import { EXIT, GateError } from '../core/errors.ts';
import type { Io } from '../core/io.ts';
import type { Snippet } from '../output/search.ts';
import type { EventRow } from '../store/query/event.ts';
import type { Phrase } from '../store/query/words.ts';
import { command, type DefineCommand, say } from './command.ts';
import type { GlobalFlags } from './global.ts';
import { lookOf } from './look.ts';
import { compileArguments, FILTER_HELP, takesFilter } from './reading/filter.ts';
import { parseLimit } from './reading/limit.ts';
import { type Reading, withIndex } from './reading/open.ts';
import { print } from './reading/print.ts';

interface SearchFlags extends GlobalFlags {
  readonly json?: boolean;
  readonly limit: number;
}

const LIMIT = 20;
/** Characters around a hit. */
const BEFORE = 60;
const AFTER = 100;

/** `gate search`: full text, newest first. */
export const defineSearch: DefineCommand = ({ io, finish }) =>
  takesFilter(
    command('search', 'Find words in hosts, URLs, decoded texts and tool calls, newest first', [
      ['gate search password', 'one word, in any case'],
      ['gate search \'"rm -rf" tmp\' run:last', 'a phrase and a word, in the last run'],
      ["gate search 'migrat*' -host:example.com", 'words that begin so; filters: see gate help filters'],
      ['gate search --json password', 'one JSON object a line'],
    ]),
  )
    .argument('<text>', 'words, all of which must be there; "..." is a phrase, word* a beginning')
    .argument('[filter...]', FILTER_HELP)
    .option('--limit <n>', 'the newest n, or all', parseLimit, LIMIT)
    .option('--json', 'print one JSON object a line')
    .action(async (text: string, args: string[], flags: SearchFlags) => {
      await withIndex(io, flags, (reading) => search(text, args, flags, io, reading));
      finish(EXIT.ok);
    });

async function search(
  text: string,
  args: readonly string[],
  flags: SearchFlags,
  io: Io,
  reading: Reading,
): Promise<void> {
  const { phrasesOf } = await import('../store/query/words.ts');
  const { searchEvents } = await import('../store/query/search.ts');
  const { createScanner } = await import('../analysis/decode/scan.ts');
  const phrases = phrasesOf(text);
  if (phrases.length === 0) {
    throw new GateError('usage', `'${text}' has no letter and no digit to look for`, {
      hint: 'gate search --help',
      exitCode: EXIT.usage,
    });
  }
  const where = await compileArguments(args, reading.paths);
  const rows = reading.index.read((database) => searchEvents(database, phrases, where, flags.limit));
  const scanner = createScanner();
  const hits = [];
  for (const row of rows) {
    const event = reading.events.listed(row);
    const snippet = await snippetOf(row, phrases, scanner, reading);
    if (flags.json === true) {
      await print(io, `${JSON.stringify({ ...event, ...(snippet === undefined ? {} : { snippet }) })}\n`);
    } else hits.push({ event, snippet });
  }
  if (rows.length === 0) say(io, flags, 'nothing found');
  if (rows.length === flags.limit) say(io, flags, `the newest ${flags.limit}; --limit all shows the rest`);
  if (flags.json === true) return;
  const { searchText } = await import('../output/search.ts');
  await print(io, searchText(hits, { ...lookOf(io, flags), now: new Date() }));
}

/** The words around the first hit; undefined where the text is gone. Secrets are masked before anything is cut. */
async function snippetOf(
  row: EventRow,
  phrases: readonly Phrase[],
  scanner: Scanner,
  { paths, index }: Reading,
): Promise<Snippet | undefined> {
  const { runPaths } = await import('../core/paths.ts');
  const { readEventRecords } = await import('../store/query/records.ts');
  const { textsOf } = await import('../store/query/search.ts');
  const { findPhrase } = await import('../store/query/find.ts');
  const { openPackIfThere } = await import('../store/pack-reader.ts');
  const files = runPaths(paths, row.run_name);
  const records = readEventRecords(index.database, row, files.ledger);
  const pack = await openPackIfThere(files.pack);
  try {
    const texts = await textsOf(records, pack);
    for (const place of ['tools', 'text', 'url', 'host'] as const) {
      const hit = findPhrase(texts[place], phrases);
      if (hit !== undefined) return cutOut(place, texts[place], hit, scanner);
    }
    return undefined;
  } finally {
    await pack?.close();
  }
}

async function cutOut(
  place: Snippet['in'],
  text: string,
  hit: { readonly start: number; readonly end: number },
  scanner: Scanner,
): Promise<Snippet> {
  const { maskText } = await import('../analysis/shown.ts');
  const masked = maskText(scanner, text);
  const [start, end] = [masked.toMasked(hit.start), masked.toMasked(hit.end)];
  const from = Math.max(0, start - BEFORE);
  const to = Math.min(masked.text.length, end + AFTER);
  const before = `${from > 0 ? '…' : ''}${oneLine(masked.text.slice(from, start))}`;
  const shown = oneLine(masked.text.slice(start, end));
  const after = `${oneLine(masked.text.slice(end, to))}${to < masked.text.length ? '…' : ''}`;
  const whole = `${before}${shown}${after}`;
  return { in: place, text: whole, start: before.length, end: before.length + shown.length };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
