import type { SqliteDatabase } from '../sqlite.ts';

/** The statements of the fold, prepared once for a connection. */
export type Rows = ReturnType<typeof prepareRows>;

const EVENT_FIELDS = [
  ...['id', 'run', 'seq', 'kind', 'at', 'via', 'method', 'url', 'host', 'port', 'protocol'],
  ...['verdict', 'reason', 'list', 'pattern', 'outcome', 'request_bytes', 'response_bytes', 'count'],
  ...['total_ms', 'request_at', 'end_at'],
] as const;

/** What a request, a tunnel or a refusal gives of a row of `events`. */
export type EventValues = Readonly<Record<(typeof EVENT_FIELDS)[number], string | number | null>>;

const CALL_FIELDS = [
  ...['event', 'n', 'provider', 'api', 'model', 'session', 'stop_reason', 'tokens_in', 'tokens_out'],
  ...['cache_read', 'cache_write', 'cost_usd', 'tool_calls'],
] as const;

export type CallValues = Readonly<Record<(typeof CALL_FIELDS)[number], string | number | null>>;

/** Prepares them; the tables must be there. */
export function prepareRows(database: SqliteDatabase) {
  const run = (sql: string) => database.prepare<unknown[]>(sql);
  return {
    event: database.prepare<[EventValues]>(upsert('events', EVENT_FIELDS, ['id'])),
    stub: run(`INSERT OR IGNORE INTO events (id, run, seq, kind, at) VALUES (?, ?, ?, 'exchange', ?)`),
    response: run('UPDATE events SET status = ?, response_at = ? WHERE id = ?'),
    end: run(`UPDATE events SET outcome = ?, error = ?, request_bytes = coalesce(?, request_bytes),
      response_bytes = coalesce(?, response_bytes), total_ms = ?, first_byte_ms = ?, end_at = ? WHERE id = ?`),
    sent: run(`UPDATE events SET messages = messages + 1, request_bytes = coalesce(request_bytes, 0) + ?
      WHERE id = ?`),
    received: run(`UPDATE events SET messages = messages + 1, response_bytes = coalesce(response_bytes, 0) + ?
      WHERE id = ?`),
    tunnel:
      run(`UPDATE events SET kind = 'tunnel', via = ?, host = ?, port = ?, verdict = ?, reason = ?, list = ?,
      pattern = ?, outcome = ?, request_bytes = ?, response_bytes = ?, total_ms = ?, end_at = ? WHERE id = ?`),
    hasPiece: run('SELECT 1 FROM pieces WHERE event = ? AND type = ? AND n = ?'),
    piece: run('INSERT OR REPLACE INTO pieces (event, type, n, at) VALUES (?, ?, ?, ?)'),
    flag: run(`INSERT OR REPLACE INTO flags (event, n, code, host, severity, detail)
      SELECT id, ?, ?, coalesce(host, ''), ?, ? FROM events WHERE id = ?`),
    span: run(`INSERT INTO spans (event, n, class, kind, place, fingerprint, masked, count)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count`),
    call: database.prepare<[CallValues]>(upsert('calls', CALL_FIELDS, ['event', 'n'])),
    forget: ['flags', 'spans', 'calls'].map((table) => run(`DELETE FROM ${table} WHERE event = ? AND n = ?`)),
    flagged: run(`UPDATE events SET
      severity = coalesce((SELECT max(severity) FROM flags WHERE event = events.id), 0),
      secrets = (SELECT count(*) FROM
        (SELECT DISTINCT kind, fingerprint FROM spans WHERE event = events.id AND class = 'secret')),
      pii = coalesce((SELECT sum(count) FROM spans WHERE event = events.id AND class = 'pii'), 0)
      WHERE id = ?`),
    called: run(CALLED),
    start: run(`UPDATE runs SET started = ?, mode = ?, enforce = ?, agent = ?, cwd = ?, argv = ?, labels = ?,
      git_root = ?, git_branch = ? WHERE id = ?`),
    stop: run('UPDATE runs SET ended = ?, exit_code = ?, signal = ? WHERE id = ?'),
    words: run('INSERT INTO words (rowid, host, url, text, tools) VALUES (?, ?, ?, ?, ?)'),
    noWords: run('DELETE FROM words WHERE rowid = ?'),
    folded: run(
      'UPDATE runs SET folded = ?, lines = ?, head = ?, damaged = damaged + ?, cut = 0 WHERE id = ?',
    ),
  };
}

/**
 * Sums the calls of an exchange up: the last word on what was called, and all that was used. The cost is known
 * when that of every call with usage is.
 */
const CALLED = `WITH mine AS (SELECT * FROM calls WHERE event = @event ORDER BY n)
  UPDATE events SET
    (provider, api) = (SELECT provider, api FROM mine ORDER BY n DESC LIMIT 1),
    model = (SELECT model FROM mine WHERE model IS NOT NULL ORDER BY n DESC LIMIT 1),
    session = (SELECT session FROM mine WHERE session IS NOT NULL ORDER BY n DESC LIMIT 1),
    stop_reason = (SELECT stop_reason FROM mine WHERE stop_reason IS NOT NULL ORDER BY n DESC LIMIT 1),
    (tokens_in, tokens_out, cache_read, cache_write, cost_usd) = (SELECT sum(tokens_in), sum(tokens_out),
      sum(cache_read), sum(cache_write),
      CASE WHEN coalesce(sum(tokens_in IS NOT NULL AND cost_usd IS NULL), 0) = 0 THEN sum(cost_usd) END FROM mine),
    tool_calls = CASE WHEN EXISTS (SELECT 1 FROM mine) THEN
      (SELECT json_group_array(value) FROM mine, json_each(mine.tool_calls)) END
  WHERE id = @event`;

function upsert(table: string, fields: readonly string[], key: readonly string[]): string {
  const values = fields.map((field) => `@${field}`).join(', ');
  const rest = fields.filter((field) => !key.includes(field));
  const set = rest.map((field) => `${field} = excluded.${field}`).join(', ');
  return `INSERT INTO ${table} (${fields.join(', ')}) VALUES (${values})
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set}`;
}
