import type { RunId } from '../../core/ids.ts';
import { RULE_CODES, SEVERITIES } from '../../core/rules.ts';
import { levelOf } from '../index/severity.ts';
import { DISMISSED } from './dismissed.ts';
import { globLiteral, type Sql, sql } from './sql.ts';
import { parseTime } from './time.ts';
import { matchQuery, phrasesOf } from './words.ts';

/** What operators need of the world. */
export interface FilterContext {
  readonly now: Date;
  /** Finds a run by `last`, its id or its last six characters. Throws GateError `no_such_run`. */
  readonly findRun: (name: string) => RunId;
  /** Kinds that the detectors know. */
  readonly kinds: Readonly<Record<'secret' | 'pii', readonly string[]>>;
  /** The filter asks for dismissed flags: else they do not count. */
  readonly withDismissed: boolean;
}

/** A value that an operator does not take; `known` are those that it does, where they can be listed. */
export interface Rejected {
  readonly problem: string;
  readonly known?: readonly string[];
}

/** One operator of the filter language, as data: the parser, its errors, the help and completion read it. */
export interface Operator {
  readonly name: string;
  /** Placeholder of its value: `NAME`. */
  readonly value: string;
  /** One sentence fragment for the help. */
  readonly help: string;
  readonly example: string;
  /** The values that can be listed. */
  readonly values?: (context: Pick<FilterContext, 'kinds'>) => readonly string[];
  readonly compile: (value: string, context: FilterContext) => Sql | Rejected;
}

/** States that `is:` asks for, with what they mean. */
const STATES: Readonly<Record<string, { readonly help: string; readonly sql: string }>> = {
  blocked: { help: 'denied by the policy', sql: "e.verdict = 'deny' AND e.kind <> 'refused'" },
  dismissed: {
    help: 'has a flag that was dismissed',
    sql: `EXISTS (SELECT 1 FROM flags f WHERE f.event = e.id AND ${DISMISSED})`,
  },
  exchange: { help: 'a request with its answer', sql: "e.kind = 'exchange'" },
  failed: { help: 'did not come to its end', sql: "e.outcome NOT IN ('complete', 'denied')" },
  flagged: {
    help: 'has a flag that was not dismissed',
    sql: `EXISTS (SELECT 1 FROM flags f WHERE f.event = e.id AND NOT ${DISMISSED})`,
  },
  llm: { help: 'a call of a model', sql: 'e.provider IS NOT NULL' },
  open: { help: 'still going on', sql: "e.outcome IS NULL AND e.kind <> 'refused'" },
  refused: { help: 'ended before there was a request', sql: "e.kind = 'refused'" },
  tunnel: { help: 'passed through unread', sql: "e.kind = 'tunnel'" },
  websocket: { help: 'a WebSocket', sql: "e.protocol = 'websocket'" },
};

/** The operators, in the order of help. */
export const OPERATORS: readonly Operator[] = [
  {
    name: 'host',
    value: 'HOST',
    help: 'part of the host name, or all of it with *; a port may follow',
    example: 'host:example.com  host:*.example.com  host:localhost:11434',
    compile: compileHost,
  },
  {
    name: 'method',
    value: 'METHOD',
    help: 'the request method, in any case',
    example: 'method:POST',
    compile: (value) => sql('upper(e.method) = upper(?)', value),
  },
  {
    name: 'status',
    value: 'CODE',
    help: 'the status of the answer: a code, a class, a range, a comparison, or none',
    example: 'status:404  status:5xx  status:400-403  status:>=400',
    compile: compileStatus,
  },
  {
    name: 'flag',
    value: 'CODE',
    help: 'a flag with this code or severity, or any; dismissed ones count only beside is:dismissed',
    example: 'flag:secret_in_request  flag:high  flag:>=medium  flag:any',
    values: () => [...RULE_CODES, ...SEVERITIES, 'any'],
    compile: compileFlag,
  },
  {
    name: 'secret',
    value: 'KIND',
    help: 'a secret of this kind, with this #fingerprint, or any',
    example: 'secret:any  secret:github_pat  secret:#ab12cd34',
    values: ({ kinds }) => [...kinds.secret, 'any'],
    compile: (value, context) => compileKind('secret', value, context),
  },
  {
    name: 'pii',
    value: 'KIND',
    help: 'personal data of this kind, or any',
    example: 'pii:email  pii:any',
    values: ({ kinds }) => [...kinds.pii, 'any'],
    compile: (value, context) => compileKind('pii', value, context),
  },
  {
    name: 'model',
    value: 'NAME',
    help: 'part of the name of the model',
    example: 'model:haiku',
    compile: (value) => contains('e.model', value),
  },
  {
    name: 'session',
    value: 'ID',
    help: 'a conversation, by its id or the beginning of it',
    example: 'session:9f8e7d6c',
    compile: (value) => sql('substr(e.session, 1, ?) = ?', [...value].length, value),
  },
  {
    name: 'tool',
    value: 'NAME',
    help: 'the model called this tool',
    example: 'tool:Bash',
    compile: (value) =>
      sql('EXISTS (SELECT 1 FROM json_each(e.tool_calls) t WHERE lower(t.value) = lower(?))', value),
  },
  {
    name: 'run',
    value: 'RUN',
    help: 'a run, by its id, its last six characters, or last',
    example: 'run:last  run:K3F9QZ',
    values: () => ['last'],
    compile: (value, { findRun }) => sql('e.run = (SELECT id FROM runs WHERE run = ?)', findRun(value)),
  },
  {
    name: 'since',
    value: 'TIME',
    help: 'at this time or later: RFC 3339, a date, today, yesterday, or how long ago',
    example: 'since:30m  since:yesterday  since:2026-01-31',
    values: () => ['today', 'yesterday'],
    compile: (value, context) => compileTime('>=', value, context),
  },
  {
    name: 'until',
    value: 'TIME',
    help: 'at this time or earlier; a day counts to its end',
    example: 'until:2026-01-31  until:2h',
    values: () => ['today', 'yesterday'],
    compile: (value, context) => compileTime('<=', value, context),
  },
  {
    name: 'body',
    value: 'WORDS',
    help: 'these words in this order in a decoded text or a tool call; word* for its beginning',
    example: 'body:password  body:"rm -rf"  body:migrat*',
    compile: compileBody,
  },
  {
    name: 'reason',
    value: 'REASON',
    help: 'why it was decided or refused so',
    example: 'reason:denylisted  reason:port_not_captured',
    compile: (value) => sql('e.reason = lower(?)', value),
  },
  {
    name: 'is',
    value: 'STATE',
    help: Object.keys(STATES).join(', '),
    example: 'is:blocked  is:open  -is:llm',
    values: () => Object.keys(STATES),
    compile: (value) => {
      const state = Object.entries(STATES).find(([name]) => name === value.toLowerCase())?.[1];
      return state === undefined
        ? { problem: `'${value}' is no state`, known: Object.keys(STATES) }
        : sql(`(${state.sql})`);
    },
  },
];

/** What each value of `is:` means, for the help. */
export function stateHelp(): readonly (readonly [string, string])[] {
  return Object.entries(STATES).map(([name, { help }]) => [name, help]);
}

/** A word without an operator: part of the host or of the URL. */
export function compileWord(value: string): Sql {
  const { text, values } = contains('e.host', value);
  const url = contains('e.url', value);
  return { text: `(${text} OR ${url.text})`, values: [...values, ...url.values] };
}

function contains(column: string, value: string): Sql {
  return sql(`instr(lower(${column}), lower(?)) > 0`, value);
}

function compileHost(value: string): Sql | Rejected {
  const { host, port } = splitPort(value.toLowerCase());
  const name = host.replace(/^\[(.*)\]$/, '$1');
  const found = name.includes('*')
    ? sql('e.host GLOB ?', name.split(/\*+/).map(globLiteral).join('*'))
    : sql('instr(e.host, ?) > 0', name);
  return port === undefined
    ? found
    : { text: `(${found.text} AND e.port = ?)`, values: [...found.values, port] };
}

/** `name:443` and `[::1]:443`; the colons of a bare IPv6 address are its own. */
function splitPort(value: string): { readonly host: string; readonly port?: number } {
  const found = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(value);
  return found === null ? { host: value } : { host: found[1] ?? '', port: Number(found[2]) };
}

function compileStatus(value: string): Sql | Rejected {
  if (value === 'none') return sql("(e.status IS NULL AND e.kind = 'exchange')");
  const family = /^([1-5])xx$/i.exec(value);
  if (family !== null) return between(Number(family[1]) * 100, Number(family[1]) * 100 + 99);
  const range = /^([1-9]\d\d)(?:-|\.\.)([1-9]\d\d)$/.exec(value);
  if (range !== null) return between(Number(range[1]), Number(range[2]));
  const [, sign = '=', code] = /^(>=|<=|>|<|=)?([1-9]\d\d)$/.exec(value) ?? [];
  if (code === undefined) {
    return { problem: `'${value}' is no status: 404, 4xx, 400-403, >=400, or none` };
  }
  return sql(`e.status ${sign} ?`, Number(code));
}

function between(from: number, to: number): Sql {
  return sql('e.status BETWEEN ? AND ?', from, to);
}

function compileFlag(value: string, { withDismissed }: FilterContext): Sql | Rejected {
  const counts = withDismissed ? '' : ` AND NOT ${DISMISSED}`;
  const having = (condition: string, ...values: (string | number)[]): Sql =>
    sql(`EXISTS (SELECT 1 FROM flags f WHERE f.event = e.id${condition}${counts})`, ...values);
  const word = value.toLowerCase();
  if (word === 'any') return having('');
  const [, sign = '=', name = ''] = /^(>=|<=|>|<|=)?(.*)$/.exec(word) ?? [];
  const level = levelOf(name);
  if (level !== undefined) return having(` AND f.severity ${sign} ?`, level);
  const known: readonly string[] = RULE_CODES;
  if (known.includes(word)) return having(' AND f.code = ?', word);
  return { problem: `'${value}' is no rule and no severity`, known: [...RULE_CODES, ...SEVERITIES, 'any'] };
}

function compileKind(kindClass: 'secret' | 'pii', value: string, { kinds }: FilterContext): Sql | Rejected {
  const start = 'EXISTS (SELECT 1 FROM spans s WHERE s.event = e.id AND s.class = ?';
  const word = value.toLowerCase();
  if (word === 'any') return sql(`${start})`, kindClass);
  if (kindClass === 'secret' && /^#[0-9a-f]{1,64}$/.test(word)) {
    return sql(`${start} AND s.fingerprint = ?)`, kindClass, word.slice(1));
  }
  const known = kinds[kindClass];
  if (known.includes(word)) return sql(`${start} AND s.kind = ?)`, kindClass, word);
  const what = kindClass === 'secret' ? 'kind of secret' : 'kind of personal data';
  return { problem: `'${value}' is no ${what}`, known: [...known, 'any'] };
}

function compileTime(sign: '>=' | '<=', value: string, { now }: FilterContext): Sql | Rejected {
  const time = parseTime(value, now);
  if (time === undefined) {
    return {
      problem: `'${value}' is no time: 2026-01-31, 2026-01-31T09:00:00Z, 30m, 2h, 7d, today, yesterday`,
    };
  }
  return sql(`e.at ${sign} ?`, sign === '>=' ? time.from : time.to);
}

function compileBody(value: string): Sql | Rejected {
  const phrases = phrasesOf(
    `"${value.replaceAll('"', ' ').replace(/\*+$/, '')}"${/\*$/.test(value) ? '*' : ''}`,
  );
  if (phrases.length === 0) return { problem: `'${value}' has no letter and no digit to look for` };
  return sql('e.id IN (SELECT rowid FROM words WHERE words MATCH ?)', matchQuery(phrases, ['text', 'tools']));
}
