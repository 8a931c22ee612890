import { RULE_CODES, SEVERITIES } from '../../core/rules.ts';
import {
  compileBody,
  compileFlag,
  compileHost,
  compileKind,
  compileStatus,
  compileTime,
  contains,
  type FilterContext,
  type Rejected,
} from './conditions.ts';
import { DISMISSED } from './dismissed.ts';
import { type Sql, sql } from './sql.ts';

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
