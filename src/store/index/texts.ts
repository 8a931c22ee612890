import type { SqliteDatabase } from '../sqlite.ts';
import type { Batch, Touched } from './batch.ts';
import type { LineSource } from './line-at.ts';
import { type TextSource, type Words, wordsOf } from './words.ts';

/** The words of an event as they are after a batch. */
export interface NewWords extends Words {
  readonly event: number;
  /** The event had a row before. */
  readonly isKnown: boolean;
}

interface Before {
  readonly request_at: number | null;
  readonly end_at: number | null;
}

interface Piece {
  readonly type: 'analysis' | 'message';
  readonly n: number;
  readonly at: number;
}

/**
 * Reads the texts of the events that a batch touches, with what was folded of them before: the words are the same
 * however the ledger was cut into batches. Holds as long as the run is not folded further.
 */
export async function gatherWords(
  database: SqliteDatabase,
  batch: Batch,
  lines: LineSource,
  source: TextSource,
): Promise<NewWords[]> {
  const before = database.prepare<[number], Before>('SELECT request_at, end_at FROM events WHERE id = ?');
  const pieces = database.prepare<[number], Piece>(
    `SELECT type, n, at FROM pieces WHERE event = ? AND type IN ('analysis', 'message') ORDER BY type, n`,
  );
  const found: NewWords[] = [];
  for (const [event, touched] of batch.touched) {
    const known = before.get(event);
    const old = known === undefined ? [] : pieces.all(event);
    if (known !== undefined && saysNothingNew(touched, old)) continue;
    const words = await wordsOf(
      {
        first: touched.first ?? recordAt(lines, known?.request_at),
        end: touched.end ?? recordAt(lines, known?.end_at),
        analyses: merged('analysis', old, touched.analyses, lines),
        messages: merged('message', old, touched.messages, lines),
      },
      source,
    );
    found.push({ event, isKnown: known !== undefined, ...words });
  }
  return found;
}

/** Analyses without texts, which take the place of none that may have had some: the usual case of a live run. */
function saysNothingNew(touched: Touched, old: readonly Piece[]): boolean {
  if (touched.first !== undefined || touched.end !== undefined || touched.messages.size > 0) return false;
  if (old.some(({ type }) => type === 'analysis')) return false;
  return [...touched.analyses.values()].every((analysis) => analysis['content'] === null);
}

function recordAt(lines: LineSource, at: number | null | undefined) {
  return at === null || at === undefined ? undefined : lines.recordAt(at);
}

/** Records of one type in the order of their numbers, the batch's in place of the ones before. */
function* merged(type: Piece['type'], old: readonly Piece[], fresh: Touched['analyses'], lines: LineSource) {
  const places = new Map(old.filter((piece) => piece.type === type).map(({ n, at }) => [n, at]));
  const numbers = new Set([...places.keys(), ...fresh.keys()]);
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const record = fresh.get(n) ?? recordAt(lines, places.get(n));
    if (record !== undefined) yield record;
  }
}
