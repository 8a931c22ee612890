/**
 * The tables of `index.sqlite`. Everything in them is made from the ledgers, `heads.jsonl` and `dismissals.json`,
 * and can be thrown away. Times are milliseconds since 1970 (UTC); hashes are lower-case hex.
 */

/** Noted as `user_version`. An index of another version is made anew, never migrated. */
export const INDEX_VERSION = 2;

/** A run has fewer records than this; what a ledger has beyond them is counted as damaged. */
export const MAX_RECORDS = 2 ** 28;

/** The row of an event in `events` and `words`: newest runs last, and found without a lookup. */
export function eventRow(runRow: number, seq: number): number {
  return runRow * MAX_RECORDS + seq;
}

/** Makes the tables in an empty database. */
export const SCHEMA = `
-- One row a run. \`folded\` bytes and \`lines\` of its ledger are in the other tables; \`head\` is the hash of the last
-- of those lines: a ledger that does not continue it is folded from its start again.
CREATE TABLE runs (
  id          INTEGER PRIMARY KEY,
  run         TEXT NOT NULL UNIQUE,
  started     INTEGER,
  mode        TEXT,
  enforce     INTEGER,
  agent       TEXT,
  cwd         TEXT,
  argv        TEXT,                -- JSON
  labels      TEXT,                -- JSON
  git_root    TEXT,
  git_branch  TEXT,
  ended       INTEGER,             -- when run.end was written
  exit_code   INTEGER,
  signal      TEXT,
  cut         INTEGER NOT NULL DEFAULT 0, -- 1: its gate died, and what was open then has the outcome gate_stopped
  folded      INTEGER NOT NULL DEFAULT 0,
  lines       INTEGER NOT NULL DEFAULT 0,
  head        TEXT NOT NULL,
  damaged     INTEGER NOT NULL DEFAULT 0  -- lines that could not be read
) STRICT;

-- One row an exchange, a tunnel, or a refusal (\`kind\`): what \`gate events\` lists.
CREATE TABLE events (
  id             INTEGER PRIMARY KEY,      -- run's row * 2^28 + seq: see eventRow
  run            INTEGER NOT NULL REFERENCES runs (id),
  seq            INTEGER NOT NULL,         -- of its first record
  kind           TEXT NOT NULL,            -- exchange | tunnel | refused
  at             INTEGER NOT NULL,
  via            TEXT,
  method         TEXT,
  url            TEXT,
  host           TEXT,                     -- of a refusal: its name, else its address
  port           INTEGER,
  protocol       TEXT,                     -- of a refusal: tcp | udp | icmp …
  verdict        TEXT,                     -- forward | deny
  reason         TEXT,                     -- of the decision; of a refusal, its own
  list           TEXT,
  pattern        TEXT,
  status         INTEGER,
  outcome        TEXT,                     -- null while it goes on
  error          TEXT,                     -- code
  request_bytes  INTEGER,                  -- of a tunnel: up
  response_bytes INTEGER,                  -- of a tunnel: down
  messages       INTEGER NOT NULL DEFAULT 0,
  total_ms       REAL,
  first_byte_ms  REAL,
  count          INTEGER NOT NULL DEFAULT 1,
  severity       INTEGER NOT NULL DEFAULT 0,  -- of its worst flag: 0 none, 1 info, 2 low, 3 medium, 4 high
  secrets        INTEGER NOT NULL DEFAULT 0,  -- kinds and fingerprints that differ
  pii            INTEGER NOT NULL DEFAULT 0,
  provider       TEXT,
  api            TEXT,
  model          TEXT,
  session        TEXT,
  stop_reason    TEXT,
  tokens_in      INTEGER,
  tokens_out     INTEGER,
  cache_read     INTEGER,
  cache_write    INTEGER,
  cost_usd       REAL,                     -- null where no price is known
  tool_calls     TEXT,                     -- names, JSON
  -- Where its records begin in the ledger, so that one exchange is shown without reading the file through.
  request_at     INTEGER,
  response_at    INTEGER,
  end_at         INTEGER
) STRICT;
-- No indexes but these and the keys: lists are read newest first and filtered on the way, and what belongs to an event is
-- found by its row. SQLite has no statistics here: it took an index of all secrets for each event's, and read it whole.
CREATE INDEX events_at ON events (at);
CREATE INDEX events_run ON events (run, at);

-- Records that may repeat for one exchange: their places in the ledger.
CREATE TABLE pieces (
  event INTEGER NOT NULL,
  type  TEXT NOT NULL,                     -- message | analysis | informational
  -- Of a message, its number; of an analysis, its first message, or -1 where it is about the whole exchange; of an
  -- informational head, its seq.
  n     INTEGER NOT NULL,
  at    INTEGER NOT NULL,                  -- byte offset
  PRIMARY KEY (event, type, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE flags (
  event    INTEGER NOT NULL,
  n        INTEGER NOT NULL,               -- of the analysis, as in pieces: a repeated one replaces its own
  code     TEXT NOT NULL,
  host     TEXT NOT NULL,
  severity INTEGER NOT NULL,
  detail   TEXT NOT NULL,
  PRIMARY KEY (event, n, code, detail)
) STRICT, WITHOUT ROWID;

-- Secrets by fingerprint, personal data by kind.
CREATE TABLE spans (
  event       INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  class       TEXT NOT NULL,               -- secret | pii
  kind        TEXT NOT NULL,
  place       TEXT NOT NULL,               -- \`where\` of a secret; request | response of personal data
  fingerprint TEXT NOT NULL DEFAULT '',
  masked      TEXT,
  count       INTEGER NOT NULL,
  PRIMARY KEY (event, n, class, kind, place, fingerprint)
) STRICT, WITHOUT ROWID;

-- One row a model call: what an analysis read. The columns of the same names in \`events\` sum them up.
CREATE TABLE calls (
  event       INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  provider    TEXT,
  api         TEXT,
  model       TEXT,
  session     TEXT,
  stop_reason TEXT,
  tokens_in   INTEGER,
  tokens_out  INTEGER,
  cache_read  INTEGER,
  cache_write INTEGER,
  cost_usd    REAL,
  tool_calls  TEXT NOT NULL,               -- names, JSON
  PRIMARY KEY (event, n)
) STRICT, WITHOUT ROWID;

-- dismissals.json as it stands now; \`sha256\` of the file in \`settings\` tells whether this is it.
CREATE TABLE dismissals (
  id    TEXT PRIMARY KEY,
  event INTEGER,                           -- one exchange, or
  host  TEXT,                              -- all of a host
  code  TEXT                               -- null: every code of the exchange
) STRICT;
CREATE INDEX dismissals_event ON dismissals (event);
CREATE INDEX dismissals_host ON dismissals (host, code);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Words of host, URL, decoded texts and tool calls, by the row of their event; the texts themselves stay in the packs.
CREATE VIRTUAL TABLE words USING fts5 (
  host, url, text, tools,
  content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2 tokenchars '_'"
);
`;
