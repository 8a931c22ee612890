import { type Cidr, parseCidr } from './cidr.ts';
import { canonicalHost, isIpLiteral, parsePort, toAsciiName } from './host.ts';
import { formatIp, looksNumeric } from './ip.ts';

/** The three lists, as they are called in records. */
export type ListName = 'allow' | 'deny' | 'passthrough';

/** All lists, in the order in which a decision asks them. */
export const LIST_NAMES: readonly ListName[] = ['deny', 'allow', 'passthrough'];

interface Common {
  /** As written by the person; recorded as what matched. */
  readonly text: string;
  /** Canonical spelling: patterns that mean the same have the same key. */
  readonly key: string;
  /** Absent: every port on the denylist, 443 and 80 elsewhere. Ranges have no port. */
  readonly port?: number;
  /** An option of the run, and no line of the list's file. */
  readonly ofRun?: true;
}

/** One line of a list. `host` is canonical; in a wildcard, `*` stands for any run of characters, dots too. */
export type Pattern =
  | (Common & { readonly kind: 'name' | 'ip' | 'wildcard'; readonly host: string })
  | (Common & { readonly kind: 'range'; readonly range: Cidr });

/** A pattern, or the reason why the text is none. */
export type PatternResult = { readonly pattern: Pattern } | { readonly problem: string };

/** A pattern and the line (from 1) that it stands on. */
export interface ListLine {
  readonly pattern: Pattern;
  readonly line: number;
}

/** What is in a list file. `errors` are `file:line: reason`. */
export interface ParsedList {
  readonly lines: readonly ListLine[];
  readonly errors: readonly string[];
}

/** Enough to find it by; a line may be as long as the file. */
const MAX_QUOTED = 100;

const clip = (text: string): string => (text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);

const problem = (reason: string): PatternResult => ({ problem: reason });

/**
 * Reads one pattern (docs/lists.md): a host name, `host:port`, an IP address, `IP:port`, `[IPv6]:port` or a CIDR,
 * with `*` as the only wildcard and in names only.
 */
export function parsePattern(raw: string): PatternResult {
  const text = raw.trim();
  if (text === '') return problem('empty pattern');
  if (/\s/.test(text)) return problem('one pattern a line, without spaces');
  if (text.includes('://')) return problem('a host name is wanted, not a URL');
  if (text.startsWith('[')) return parseBracketed(text);
  const forbidden = /[?[\]{}()!+@|]/.exec(text);
  if (forbidden !== null) return problem(`'${forbidden[0]}' is not allowed; '*' is the only wildcard`);
  if (text.includes('/')) return parseRange(text);
  const colon = text.indexOf(':');
  if (colon < 0) return parseHost(text, text, undefined);
  if (text.indexOf(':', colon + 1) >= 0) return parseHost(text, text, undefined);
  const port = parsePort(text.slice(colon + 1));
  if (port === undefined) return problem(`bad port '${clip(text.slice(colon + 1))}'; use 1 to 65535`);
  return parseHost(text, text.slice(0, colon), port);
}

/** Reads a list. `file` is only used in error texts. Never throws. */
export function parseList(content: string, file: string): ParsedList {
  const lines: ListLine[] = [];
  const errors: string[] = [];
  for (const [i, row] of content
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const text = patternText(row);
    if (text === '') continue;
    const result = parsePattern(text);
    if ('problem' in result) errors.push(`${file}:${i + 1}: ${result.problem}`);
    else lines.push({ pattern: result.pattern, line: i + 1 });
  }
  return { lines, errors };
}

/** What a line says without its comment, trimmed; empty for blank and comment lines. */
export function patternText(row: string): string {
  const hash = row.indexOf('#');
  return (hash < 0 ? row : row.slice(0, hash)).trim();
}

function parseBracketed(text: string): PatternResult {
  const match = /^(\[[^\]]*\])(?::(.*))?$/.exec(text);
  const host = canonicalHost(match?.[1] ?? '');
  if (match === null || host === undefined) return problem('not an IPv6 address in brackets');
  if (match[2] === undefined) return named(text, 'ip', host, undefined);
  const port = parsePort(match[2]);
  if (port === undefined) return problem(`bad port '${clip(match[2])}'; use 1 to 65535`);
  return named(text, 'ip', host, port);
}

function parseRange(text: string): PatternResult {
  if (text.includes('*')) return problem("'*' works in names only, not in ranges");
  const result = parseCidr(text);
  if ('problem' in result) return result;
  const { version, base, prefix } = result.cidr;
  const key = `${formatIp({ version, value: base })}/${prefix}`;
  return { pattern: { kind: 'range', text, key, range: result.cidr } };
}

function parseHost(text: string, rawHost: string, port: number | undefined): PatternResult {
  if (rawHost.includes('*')) {
    const glob = canonicalGlob(rawHost);
    if (typeof glob !== 'string') return glob;
    return named(text, 'wildcard', glob, port);
  }
  const host = canonicalHost(rawHost);
  if (host === undefined) return problem(`'${clip(rawHost)}' is not a host name or an IP address`);
  return named(text, isIpLiteral(host) ? 'ip' : 'name', host, port);
}

function named(
  text: string,
  kind: 'name' | 'ip' | 'wildcard',
  host: string,
  port: number | undefined,
): PatternResult {
  const shown = host.includes(':') ? `[${host}]` : host;
  if (port === undefined) return { pattern: { kind, text, key: shown, host } };
  return { pattern: { kind, text, key: `${shown}:${port}`, host, port } };
}

/** Labels with a star stay ASCII; the others are mapped like any host, so that both sides of a match are ASCII. */
function canonicalGlob(raw: string): string | { readonly problem: string } {
  const labels: string[] = [];
  // The four characters that IDNA reads as dots (UTS 46 §4.5).
  for (const label of raw.replace(/[.\u3002\uff0e\uff61]$/, '').split(/[.\u3002\uff0e\uff61]/)) {
    const mapped = label.includes('*') ? globLabel(label) : toAsciiName(label);
    if (mapped === undefined || mapped.includes('.'))
      return { problem: `bad label '${clip(label)}' in '${clip(raw)}'` };
    labels.push(mapped);
  }
  const glob = labels.join('.');
  const last = labels.at(-1) ?? '';
  const ipLike = /^[0-9.*]*$/.test(glob) && /[0-9]/.test(glob);
  if (ipLike || looksNumeric(last)) {
    return { problem: "'*' works in names only; for addresses write a range such as 10.0.0.0/8" };
  }
  return glob.length > 253 ? { problem: 'longer than any host name' } : glob;
}

function globLabel(label: string): string | undefined {
  return /^[A-Za-z0-9_*-]+$/.test(label) ? label.toLowerCase().replace(/\*+/g, '*') : undefined;
}
