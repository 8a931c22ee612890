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

/** A word without an operator: part of the host or of the URL. */
export function compileWord(value: string): Sql {
  const { text, values } = contains('e.host', value);
  const url = contains('e.url', value);
  return { text: `(${text} OR ${url.text})`, values: [...values, ...url.values] };
}

/** A column that has a text in it, in any case. */
export function contains(column: string, value: string): Sql {
  return sql(`instr(lower(${column}), lower(?)) > 0`, value);
}

/** Part of a host, or all of it with `*`; a port may follow. */
export function compileHost(value: string): Sql | Rejected {
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

/** A status: a code, a class, a range, a comparison, or none. */
export function compileStatus(value: string): Sql | Rejected {
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

/** A rule, a severity or a range of them, or any. */
export function compileFlag(value: string, { withDismissed }: FilterContext): Sql | Rejected {
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

/** A kind of secret or personal data, the fingerprint of a secret, or any. */
export function compileKind(
  kindClass: 'secret' | 'pii',
  value: string,
  { kinds }: FilterContext,
): Sql | Rejected {
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

/** At a time or later, or earlier. */
export function compileTime(sign: '>=' | '<=', value: string, { now }: FilterContext): Sql | Rejected {
  const time = parseTime(value, now);
  if (time === undefined) {
    return {
      problem: `'${value}' is no time: 2026-01-31, 2026-01-31T09:00:00Z, 30m, 2h, 7d, today, yesterday`,
    };
  }
  return sql(`e.at ${sign} ?`, sign === '>=' ? time.from : time.to);
}

/** Words in a text or a tool call. */
export function compileBody(value: string): Sql | Rejected {
  const phrases = phrasesOf(
    `"${value.replaceAll('"', ' ').replace(/\*+$/, '')}"${/\*$/.test(value) ? '*' : ''}`,
  );
  if (phrases.length === 0) return { problem: `'${value}' has no letter and no digit to look for` };
  return sql('e.id IN (SELECT rowid FROM words WHERE words MATCH ?)', matchQuery(phrases, ['text', 'tools']));
}
