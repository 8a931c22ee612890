import type { SqliteDatabase } from '../sqlite.ts';
import { DISMISSED } from './dismissed.ts';
import type { Sql } from './sql.ts';

/** By what `gate stats` groups. */
export const GROUPINGS = ['host', 'model', 'run', 'day', 'flag', 'session'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What is counted of a group of events. */
export interface Counted {
  readonly exchanges: number;
  readonly tunnels: number;
  /** Occurrences. */
  readonly refused: number;
  /** Denied by the policy. */
  readonly blocked: number;
  /** Distinct (host, code) that were not dismissed, and those of them with severity high. */
  readonly flags: number;
  readonly highFlags: number;
  /** Exchanges in which a secret was found. */
  readonly withSecrets: number;
  readonly bytesSent: number;
  readonly bytesGot: number;
  /** Model calls (exchanges that have one or more). */
  readonly llm: number;
  readonly tokens: {
    readonly input: number;
    readonly output: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
  };
  /** Of those whose price is known; null where there is none. */
  readonly costUsd: number | null;
  /** Exchanges with usage whose price is not known. */
  readonly unpriced: number;
  /** Milliseconds, of exchanges that ended; null where none did. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** One group; its key is null for events that have none (no model, no session). */
export interface CountedGroup extends Counted {
  readonly key: string | null;
}

/** Days are those of the local calendar. */
const KEYS: Readonly<Record<Grouping | 'all', string>> = {
  all: 'NULL',
  host: 'e.host',
  model: 'e.model',
  run: 'r.run',
  day: "strftime('%Y-%m-%d', e.at / 1000, 'unixepoch', 'localtime')",
  flag: 'g.code',
  session: 'e.session',
};

/** An event counts in the group of each of its codes. */
const OPEN_FLAGS = `JOIN (SELECT DISTINCT f.event, f.code FROM flags f WHERE NOT ${DISMISSED}) g ON g.event = e.id`;

interface Row {
  readonly key: string | null;
  readonly [column: string]: string | number | null;
}

/** Counts the events that match, by `by` and altogether. The largest group first. */
export function countEvents(
  database: SqliteDatabase,
  where: Sql,
  by: Grouping,
): { readonly total: Counted; readonly groups: readonly CountedGroup[] } {
  const [{ key: _, ...total } = EMPTY] = groupsOf(database, where, 'all');
  return { total, groups: groupsOf(database, where, by) };
}

function groupsOf(database: SqliteDatabase, where: Sql, by: Grouping | 'all'): CountedGroup[] {
  const base = `SELECT e.*, ${KEYS[by]} AS key FROM events e JOIN runs r ON r.id = e.run
    ${by === 'flag' ? OPEN_FLAGS : ''} WHERE ${where.text}`;
  const all = (text: string): Row[] => database.prepare<unknown[], Row>(text).all(...where.values);
  const counted = all(`WITH m AS (${base}) ${SUMS}`);
  const own = by === 'flag' ? 'AND f.code = m.key' : '';
  const flags = keyed(all(`WITH m AS (${base}) ${FLAGS} ${own} GROUP BY m.key`));
  const times = keyed(all(`WITH m AS (${base}) ${TIMES}`));
  return counted
    .map((row) => groupOf(row, flags.get(row.key), times.get(row.key)))
    .sort((a, b) => weight(b) - weight(a) || String(a.key ?? '').localeCompare(String(b.key ?? ''), 'en'));
}

const SUMS = `SELECT key,
    sum(kind = 'exchange') AS exchanges, sum(kind = 'tunnel') AS tunnels,
    sum(CASE WHEN kind = 'refused' THEN count ELSE 0 END) AS refused,
    sum(verdict = 'deny' AND kind <> 'refused') AS blocked, sum(secrets > 0) AS withSecrets,
    sum(request_bytes) AS bytesSent, sum(response_bytes) AS bytesGot,
    sum(provider IS NOT NULL) AS llm, sum(tokens_in) AS input, sum(tokens_out) AS output,
    sum(cache_read) AS cacheRead, sum(cache_write) AS cacheWrite, sum(cost_usd) AS costUsd,
    sum(tokens_in IS NOT NULL AND cost_usd IS NULL) AS unpriced
  FROM m GROUP BY key`;

const FLAGS = `SELECT m.key, count(DISTINCT f.host || ' ' || f.code) AS flags,
    count(DISTINCT CASE WHEN f.severity = 4 THEN f.host || ' ' || f.code END) AS highFlags
  FROM m JOIN flags f ON f.event = m.id WHERE NOT ${DISMISSED}`;

/** The nearest rank: the smallest time that so many per cent do not exceed. */
const TIMES = `SELECT key, max(CASE WHEN place = (n * 50 + 99) / 100 THEN total_ms END) AS p50Ms,
    max(CASE WHEN place = (n * 95 + 99) / 100 THEN total_ms END) AS p95Ms
  FROM (SELECT key, total_ms, row_number() OVER (PARTITION BY key ORDER BY total_ms) AS place,
      count(*) OVER (PARTITION BY key) AS n
    FROM m WHERE kind = 'exchange' AND total_ms IS NOT NULL) GROUP BY key`;

function groupOf(row: Row, flags: Row | undefined, times: Row | undefined): CountedGroup {
  const number = (from: Row | undefined, name: string): number => Number(from?.[name] ?? 0);
  const orNull = (from: Row | undefined, name: string): number | null => {
    const value = from?.[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    key: row.key,
    exchanges: number(row, 'exchanges'),
    tunnels: number(row, 'tunnels'),
    refused: number(row, 'refused'),
    blocked: number(row, 'blocked'),
    flags: number(flags, 'flags'),
    highFlags: number(flags, 'highFlags'),
    withSecrets: number(row, 'withSecrets'),
    bytesSent: number(row, 'bytesSent'),
    bytesGot: number(row, 'bytesGot'),
    llm: number(row, 'llm'),
    tokens: {
      input: number(row, 'input'),
      output: number(row, 'output'),
      cacheRead: number(row, 'cacheRead'),
      cacheWrite: number(row, 'cacheWrite'),
    },
    costUsd: orNull(row, 'costUsd'),
    unpriced: number(row, 'unpriced'),
    p50Ms: orNull(times, 'p50Ms'),
    p95Ms: orNull(times, 'p95Ms'),
  };
}

const EMPTY: CountedGroup = groupOf({ key: null }, undefined, undefined);

function weight({ exchanges, tunnels, refused }: Counted): number {
  return exchanges + tunnels + refused;
}

function keyed(rows: readonly Row[]): ReadonlyMap<string | null, Row> {
  return new Map(rows.map((row) => [row.key, row]));
}
