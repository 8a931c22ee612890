import { GateError } from '../core/errors.ts';
import { LIST_NAMES, type ListName, type Pattern, parsePattern } from './pattern.ts';

/** Patterns that count for one run only, with where they were written, for error texts. */
export interface RunPatterns {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly passthrough?: readonly string[];
  /** Ports of services on this machine's loopback: the same as `localhost:PORT` on the allowlist. */
  readonly allowLocal?: readonly number[];
  /** Hosts of the started agent's profile: allowlisted as long as the person has not made lists. */
  readonly profileHosts?: readonly string[];
}

/**
 * Makes patterns of the options of a run, ready for `createLists({extra})`. Throws GateError `bad_pattern` that
 * names each bad one with its option.
 */
export function runPatterns(options: RunPatterns): Record<ListName, Pattern[]> {
  const errors: string[] = [];
  const parse = (texts: readonly string[], origin: string): Pattern[] =>
    texts.flatMap((text) => {
      const result = parsePattern(text);
      if ('pattern' in result) return [{ ...result.pattern, ofRun: true }];
      errors.push(`${origin} '${text}': ${result.problem}`);
      return [];
    });
  const made = {
    allow: [
      ...parse(options.allow ?? [], '--allow'),
      ...parse(
        (options.allowLocal ?? []).map((port) => `localhost:${port}`),
        '--allow-local',
      ),
      ...parse(options.profileHosts ?? [], 'profile host'),
    ],
    deny: parse(options.deny ?? [], '--deny'),
    passthrough: parse(options.passthrough ?? [], '--passthrough'),
  };
  if (errors.length > 0)
    throw new GateError('bad_pattern', errors.join('\n'), { hint: 'gate help allowlist' });
  return made;
}

/** Every port that a list names, ascending: connections to them are captured, besides 80 and 443. */
export function namedPorts(lists: Readonly<Record<ListName, readonly Pattern[]>>): number[] {
  return ports(LIST_NAMES.flatMap((name) => lists[name]));
}

/** Ports of this machine's loopback that the allowlist or the passthrough list opens, ascending. */
export function localPorts(lists: Readonly<Record<ListName, readonly Pattern[]>>): number[] {
  const open = [...lists.allow, ...lists.passthrough];
  return ports(open.filter((pattern) => pattern.kind !== 'range' && isLoopbackHost(pattern.host)));
}

function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
  );
}

function ports(patterns: readonly Pattern[]): number[] {
  const found = patterns.flatMap(({ port }) => (port === undefined ? [] : [port]));
  return [...new Set(found)].sort((a, b) => a - b);
}
