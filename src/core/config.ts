import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { RULE_CODES } from './rules.ts';

/**
 * `config.toml`: one schema that checks the file, gives every default and makes the documented reference
 * (docs/config.md). Strict: an unknown key is an error. Times are in milliseconds. Patterns, ranges and resolve
 * rules have their own grammar and are checked where the file is read (src/policy/config.ts).
 */

const Port = z.int().min(1).max(65_535);
const AbsolutePath = z.string().refine(isAbsolute, { error: 'expected an absolute path' });
const Milliseconds = z.int().min(1).max(2_147_483_647);
const list = <T extends z.ZodType>(item: T) => z.array(item).default([]);

/** How a command is held; also as it stands in `run.start`. */
export const RUN_MODES = ['airtight', 'best-effort', 'permissive'] as const;
export type RunMode = (typeof RUN_MODES)[number];

const Run = z.strictObject({
  mode: z
    .enum(RUN_MODES)
    .default('airtight')
    .describe(
      'How the command is held: in the jail or not at all; in the jail where that works; by variables only.',
    ),
  enforce: z
    .boolean()
    .default(false)
    .describe('Refuse hosts that are on neither the allowlist nor the passthrough list.'),
  allow: list(z.string()).describe('Patterns added to the allowlist of every run.'),
  deny: list(z.string()).describe('Patterns added to the denylist of every run.'),
  passthrough: list(z.string()).describe('Patterns added to the passthrough list of every run.'),
  allowLocal: list(Port).describe("Ports of services on this machine's loopback that the command may reach."),
  publish: list(Port).describe('Ports of servers in the jail that this machine may reach on its loopback.'),
  resolve: list(z.string()).describe(
    "Addresses for hosts, as HOST:PORT:ADDR[:PORT]; asked instead of DNS, as curl's --resolve.",
  ),
  upstreamCa: list(AbsolutePath).describe('PEM files of certificate authorities that are trusted upstream.'),
  labels: z.record(z.string(), z.string()).default({}).describe('Labels noted in the record of every run.'),
  quiet: z.boolean().default(false).describe('Print no summary line.'),
  killAfterMs: Milliseconds.default(10_000).describe(
    'How long a command that was asked to terminate may take before it is killed.',
  ),
});

const Capture = z.strictObject({
  ports: list(Port).describe('Ports captured besides 80, 443 and those that a list names.'),
});

const Dns = z.strictObject({
  pool: z
    .string()
    .default('198.18.0.0/15')
    .describe('Private IPv4 range, /8 to /24, from which names get their addresses in the jail.'),
});

const Jail = z.strictObject({
  nestedNamespaces: z
    .boolean()
    .default(true)
    .describe('Let the command make user namespaces for its own sandbox (codex and browsers need them).'),
  allowSockets: list(AbsolutePath).describe('Control sockets that stay reachable in the jail.'),
});

const Limits = z.strictObject({
  headMs: Milliseconds.default(60_000).describe('From the first byte of a request head to its last.'),
  clientIdleMs: Milliseconds.default(600_000).describe('A connection that is open and says nothing.'),
  clientStallMs: Milliseconds.default(1_800_000).describe(
    'A client that has stopped sending its request or reading its answer.',
  ),
  upstreamIdleMs: Milliseconds.default(1_800_000).describe(
    'An origin that says nothing while it is awaited.',
  ),
  connectMs: Milliseconds.default(30_000).describe('To connect to one address, and to shake hands over TLS.'),
});

const MiB = 1024 * 1024;
const Bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const Rules = z.strictObject({
  disabled: list(z.enum(RULE_CODES)).describe('Codes of rules that are not applied (docs/rules.md).'),
  oversizedRequestBytes: Bytes.default(5 * MiB).describe(
    'A request body beyond this is `oversized_request`.',
  ),
  oversizedResponseBytes: Bytes.default(5 * MiB).describe(
    'A response body beyond this is `oversized_response`.',
  ),
  envLines: z
    .int()
    .min(1)
    .max(10_000)
    .default(3)
    .describe('KEY=VALUE lines in one tool result that make it `env_in_tool_result`.'),
  mcpHosts: list(z.string()).describe(
    'Patterns of MCP hosts that are known, besides those of the allowlist.',
  ),
});

const Analysis = z.strictObject({
  patienceMs: Milliseconds.default(10_000).describe(
    'How long the end of a run waits for exchanges that are still to be analysed.',
  ),
  scanBytes: Bytes.default(32 * MiB).describe(
    'How much of one body, decoded, is searched for secrets and personal data.',
  ),
});

const RecordKeys = z.strictObject({
  signHeads: z
    .boolean()
    .default(false)
    .describe('Sign the head of every run with the Ed25519 key of this installation (docs/data-format.md).'),
});

/** The sections besides `version`; each may be left out. */
const sections = {
  run: Run.prefault({}).describe(
    'Options of `gate run`; an option on the command line wins, lists are joined.',
  ),
  capture: Capture.prefault({}).describe('What is captured.'),
  dns: Dns.prefault({}).describe("The jail's resolver."),
  jail: Jail.prefault({}).describe('The jail.'),
  limits: Limits.prefault({}).describe(
    'How long silence is borne. Nothing limits the whole time of a stream.',
  ),
  rules: Rules.prefault({}).describe('What is flagged.'),
  analysis: Analysis.prefault({}).describe('The analysis of exchanges after they have ended.'),
  record: RecordKeys.prefault({}).describe('How the record is kept.'),
};

/** `config.toml`: strict, so that a mistyped key is an error. */
export const Config = z.strictObject({
  version: z.literal(1).describe('Version of this file; always its first key.'),
  ...sections,
});
export type Config = z.infer<typeof Config>;

/** The configuration of a machine without a `config.toml`. */
export function defaultConfig(): Config {
  return Config.parse({ version: 1 });
}

/** One row of the documented reference. */
export interface ConfigKey {
  /** Dotted, as in error messages: `run.enforce`. */
  readonly key: string;
  /** For people: `boolean`, `integer`, `list of string`, `"a" | "b"`, … */
  readonly type: string;
  /** As TOML; absent where the key must be given. */
  readonly default?: string;
  readonly description: string;
}

/** All keys of `config.toml` in file order, made from the schema, for docs and completion. */
export function configReference(): ConfigKey[] {
  const rows: ConfigKey[] = [describeKey('version', Config.shape.version)];
  for (const [name, section] of Object.entries(sections)) {
    const shape: Readonly<Record<string, z.ZodType>> = section.unwrap().shape;
    for (const [key, schema] of Object.entries(shape)) rows.push(describeKey(`${name}.${key}`, schema));
  }
  return rows;
}

const JsonType = z.looseObject({
  type: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  items: z.looseObject({ type: z.string() }).optional(),
  default: z.unknown().optional(),
});

function describeKey(key: string, schema: z.ZodType): ConfigKey {
  const json = JsonType.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const row = { key, type: typeName(json), description: schema.description ?? '' };
  return json.default === undefined ? row : { ...row, default: tomlOf(json.default) };
}

function typeName(json: z.infer<typeof JsonType>): string {
  if (json.enum !== undefined) return json.enum.map((value) => `"${value}"`).join(' | ');
  if (json.const !== undefined) return String(json.const);
  if (json.type === 'array') return `list of ${json.items?.type ?? 'values'}`;
  return json.type === 'object' ? 'table of string' : (json.type ?? 'value');
}

/** Defaults are plain values, empty lists and empty tables, which JSON writes as TOML does. */
function tomlOf(value: unknown): string {
  return JSON.stringify(value);
}
