import { createHash } from 'node:crypto';
import { parse, TomlError } from 'smol-toml';
import type * as z from 'zod';
import { Config, configReference, defaultConfig } from '../core/config.ts';
import { GateError, messageOf } from '../core/errors.ts';
import { classifyAddress } from './address.ts';
import { parseCidr } from './cidr.ts';
import { formatIp } from './ip.ts';
import { parsePattern } from './pattern.ts';
import { readRegular } from './read-regular.ts';
import { parseResolveRule } from './resolve-rule.ts';
import { tomlLines } from './toml-lines.ts';

/** The configuration in force and the hash of the file it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** Of the bytes of the file; of no bytes where there is no file. Hex. */
  readonly sha256: string;
}

/** What is wrong with one key. */
interface Finding {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

/**
 * Reads `config.toml`; a missing file means defaults. Throws GateError `bad_config` with one
 * `file:line: key: reason` a line for everything that is wrong, or `config_unreadable`.
 */
export function readConfig(file: string): LoadedConfig {
  const bytes = readOrUndefined(file);
  const sha256 = createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
  if (bytes === undefined) return { config: defaultConfig(), sha256 };
  return { config: parseConfig(bytes.toString('utf8').replace(/^\ufeff/, ''), file), sha256 };
}

/** Checks the text of a `config.toml`. `file` is only used in error texts. Throws GateError `bad_config`. */
export function parseConfig(text: string, file: string): Config {
  const tables = parseToml(text, file);
  const result = Config.safeParse(tables);
  const findings = result.success ? grammarFindings(result.data) : result.error.issues.flatMap(explain);
  if (result.success && findings.length === 0) return result.data;
  const where = tomlLines(text, parse);
  const lines = findings.map(({ path, reason }) => {
    const shown = path
      .map(String)
      .join('.')
      .replace(/\.(\d+)(?=\.|$)/g, '[$1]');
    return { line: where.lineOf(path), text: `${shown}: ${reason}` };
  });
  const sorted = lines.sort((a, b) => a.line - b.line);
  throw bad(sorted.map((entry) => `${file}:${entry.line}: ${entry.text}`).join('\n'));
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Its message is a sentence and then a picture of the line.
    const sentence = messageOf(error)
      .split('\n')[0]
      ?.replace(/^Invalid TOML document: /, '');
    throw bad(`${file}:${error.line}: not TOML: ${sentence} (column ${error.column})`);
  }
}

function bad(message: string): GateError {
  return new GateError('bad_config', message, { hint: 'correct the file, then run it again' });
}

function explain(issue: z.core.$ZodIssue): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], reason: unknownKey(issue.path, key) }));
  }
  if (issue.path.length === 1 && issue.path[0] === 'version') {
    return [{ path: issue.path, reason: "the file must begin with 'version = 1'" }];
  }
  return [
    { path: issue.path, reason: issue.message.replace(/^Invalid \w+: /, '').replace(/^Too \w+: /, '') },
  ];
}

function unknownKey(path: readonly PropertyKey[], key: string): string {
  const section = path.map(String).join('.');
  const known = configReference().map((row) => row.key);
  // In the wrong place is the likeliest mistake: `enforce = true` without its [run].
  const elsewhere = known.find((full) => full.split('.').at(-1) === key);
  if (elsewhere !== undefined) return `unknown key; did you mean '${elsewhere}'?`;
  const siblings = known.filter((full) => full.split('.').slice(0, -1).join('.') === section);
  const near = siblings.find((full) => isNear(full.split('.').at(-1) ?? '', key));
  return near === undefined ? 'unknown key' : `unknown key; did you mean '${near}'?`;
}

/** Whether two words differ by case, by separators, or by one letter added, lost or changed. */
function isNear(known: string, typed: string): boolean {
  const a = known.toLowerCase();
  const b = typed.toLowerCase().replace(/[-_]/g, '');
  let head = 0;
  while (head < a.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return Math.max(a.length, b.length) - head - tail <= 1;
}

/** What zod cannot say: values that have a grammar of their own. */
function grammarFindings({ run, dns, rules }: Config): Finding[] {
  const each = (key: 'allow' | 'deny' | 'passthrough' | 'resolve', parseOne: (text: string) => object) =>
    run[key].flatMap((text, i): Finding[] => {
      const result = parseOne(text);
      return 'problem' in result ? [{ path: ['run', key, i], reason: `'${text}': ${result.problem}` }] : [];
    });
  return [
    ...each('allow', parsePattern),
    ...each('deny', parsePattern),
    ...each('passthrough', parsePattern),
    ...each('resolve', parseResolveRule),
    ...poolFindings(dns.pool),
    ...rules.mcpHosts.flatMap((text, i): Finding[] => {
      const result = parsePattern(text);
      if (!('problem' in result)) return [];
      return [{ path: ['rules', 'mcpHosts', i], reason: `'${text}': ${result.problem}` }];
    }),
  ];
}

/** A pool over public addresses would shadow real hosts; a tiny one is exhausted at once. */
function poolFindings(pool: string): Finding[] {
  const path = ['dns', 'pool'];
  const result = parseCidr(pool);
  if ('problem' in result) return [{ path, reason: `'${pool}': ${result.problem}` }];
  const { version, base, prefix } = result.cidr;
  if (version !== 4 || prefix < 8 || prefix > 24)
    return [{ path, reason: 'expected an IPv4 range of /8 to /24' }];
  const last = base + (1n << BigInt(32 - prefix)) - 1n;
  const kinds = [base, last].map((value) => classifyAddress(formatIp({ version, value })));
  return kinds.every((kind) => kind === 'private')
    ? []
    : [{ path, reason: 'expected a range of private addresses' }];
}

function readOrUndefined(file: string): Buffer | undefined {
  try {
    return readRegular(file);
  } catch (error) {
    throw new GateError('config_unreadable', `${file}: ${messageOf(error)}`, {
      hint: 'gate doctor',
      cause: error,
    });
  }
}
