import { resolve as resolvePath } from 'node:path';
import type { Config, RunMode } from '../core/config.ts';
import { GateError } from '../core/errors.ts';
import { parsePort } from '../policy/host.ts';
import { parseResolveRule, type ResolveRule } from '../policy/resolve-rule.ts';
import type { RunPatterns } from '../policy/run-patterns.ts';

/** What the flags of `gate run` say, before config is merged in; absent means not said. */
export interface RunFlags {
  readonly mode?: RunMode;
  readonly enforce?: boolean;
  readonly allow?: string[];
  readonly deny?: string[];
  readonly passthrough?: string[];
  readonly allowLocal?: string[];
  readonly publish?: string[];
  readonly allowSocket?: string[];
  readonly resolve?: string[];
  readonly upstreamCa?: string[];
  readonly label?: string[];
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** What one run does, from its flags and the configuration. */
export interface RunSettings {
  readonly mode: RunMode;
  readonly enforce: boolean;
  readonly patterns: Required<Omit<RunPatterns, 'profileHosts'>>;
  readonly resolve: readonly ResolveRule[];
  /** Ports of servers in the jail, each once. */
  readonly publish: readonly number[];
  /** Absolute paths. */
  readonly upstreamCa: readonly string[];
  /** Absolute paths. */
  readonly allowSockets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/**
 * Joins the flags of a run with its configuration: a flag wins, lists are joined. Relative paths are taken from
 * `cwd`. Throws GateError `usage` for a flag that cannot be read.
 */
export function runSettings(flags: RunFlags, { run, jail }: Config, cwd: string): RunSettings {
  return {
    mode: flags.mode ?? run.mode,
    enforce: flags.enforce ?? run.enforce,
    patterns: {
      allow: [...run.allow, ...(flags.allow ?? [])],
      deny: [...run.deny, ...(flags.deny ?? [])],
      passthrough: [...run.passthrough, ...(flags.passthrough ?? [])],
      allowLocal: [
        ...run.allowLocal,
        ...(flags.allowLocal ?? []).map((text) => port('--allow-local', text, 11434)),
      ],
    },
    publish: [
      ...new Set([...run.publish, ...(flags.publish ?? []).map((text) => port('--publish', text, 3000))]),
    ],
    // Flags first: the first rule that matches a target counts.
    resolve: [...(flags.resolve ?? []), ...run.resolve].map(resolveRule),
    upstreamCa: [...run.upstreamCa, ...(flags.upstreamCa ?? []).map((file) => resolvePath(cwd, file))],
    allowSockets: [...jail.allowSockets, ...(flags.allowSocket ?? []).map((path) => resolvePath(cwd, path))],
    labels: { ...run.labels, ...Object.fromEntries((flags.label ?? []).map(label)) },
    quiet: flags.quiet ?? run.quiet,
    verbose: flags.verbose ?? false,
  };
}

function port(option: string, text: string, example: number): number {
  const parsed = parsePort(text);
  if (parsed === undefined)
    throw usage(`${option} '${text}': not a port`, `gate run ${option} ${example} -- ...`);
  return parsed;
}

function resolveRule(text: string): ResolveRule {
  const result = parseResolveRule(text);
  if ('rule' in result) return result.rule;
  throw usage(
    `--resolve '${text}': ${result.problem}`,
    'gate run --resolve api.example.com:443:127.0.0.1:8443 -- ...',
  );
}

function label(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw usage(`--label '${text}': expected KEY=VALUE`, 'gate run --label task=upgrade -- ...');
  return [text.slice(0, at), text.slice(at + 1)];
}

function usage(message: string, hint: string): GateError {
  return new GateError('usage', message, { hint });
}
