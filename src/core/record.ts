import * as z from 'zod';
import { SEVERITIES } from './rules.ts';

/**
 * The records of a run's ledger: docs/data-format.md is the reference. One JSON object a line; readers keep
 * fields that they do not know, so every object is loose.
 */

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `prev` of a file's first record. */
export const ZERO_HASH = '0'.repeat(64);

/** Header fields in wire order with wire case, values decoded as latin1. */
export const HeaderList = z.array(z.tuple([z.string(), z.string()]));
export type HeaderList = z.infer<typeof HeaderList>;

/**
 * An extent of `bodies.pack`: [file offset of the frame, first byte within the frame's content, bytes]. A frame's
 * content is what its body has there: the frame's own bytes, decompressed, and stretches of earlier frames that
 * it refers to. The parts of a body, read in order, are its stored bytes.
 */
export const BodyPart = z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]);
export type BodyPart = z.infer<typeof BodyPart>;

/** Where a body's bytes are. `bytes` and `sha256` are of the wire, whatever `stored` says. */
export const Body = z.looseObject({
  bytes: z.int().min(0),
  sha256: Sha256,
  type: z.string().optional(),
  encoding: z.string().optional(),
  stored: z.enum(['wire', 'decoded']),
  storedSha256: Sha256.optional(),
  parts: z.array(BodyPart),
});
export type Body = z.infer<typeof Body>;

const OpenBody = z.looseObject({ open: z.literal(true) });

/** The policy's word on one request, tunnel or refusal. */
export const Decision = z.looseObject({
  verdict: z.enum(['forward', 'deny']),
  reason: z.string(),
  list: z.enum(['allow', 'deny', 'passthrough']).optional(),
  pattern: z.string().optional(),
  /** The pattern is an option of the run (`--deny`, `run.deny`, a profile's host), and no line of the list's file. */
  ofRun: z.literal(true).optional(),
});
export type Decision = z.infer<typeof Decision>;

export const Via = z.enum(['proxy', 'captured']);
export type Via = z.infer<typeof Via>;

/** `published`: opened from outside, to a server in the jail (`--publish`). */
export const TunnelVia = z.enum([...Via.options, 'published']);
export type TunnelVia = z.infer<typeof TunnelVia>;

/** Milliseconds, to the microsecond; a part that did not happen is absent. */
export const Timing = z.looseObject({
  dnsMs: z.number().optional(),
  connectMs: z.number().optional(),
  tlsMs: z.number().optional(),
  firstByteMs: z.number().optional(),
  totalMs: z.number(),
});
export type Timing = z.infer<typeof Timing>;

export const Outcome = z.enum([
  'complete',
  'denied',
  'client_aborted',
  'upstream_reset',
  'upstream_error',
  'timeout',
  'gate_stopped',
]);
export type Outcome = z.infer<typeof Outcome>;

const base = { v: z.literal(1), seq: z.int().min(0), at: z.string(), prev: Sha256 };

export const RunStart = z.looseObject({
  ...base,
  type: z.literal('run.start'),
  run: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  pid: z.int(),
  user: z.string(),
  host: z.string(),
  mode: z.enum(['airtight', 'best-effort', 'permissive']),
  enforce: z.boolean(),
  jail: z.looseObject({
    platform: z.string(),
    features: z.array(z.string()),
    widened: z.array(z.string()),
  }),
  agent: z.looseObject({ name: z.string(), version: z.string().optional() }).optional(),
  git: z
    .looseObject({ root: z.string(), branch: z.string().optional(), commit: z.string().optional() })
    .optional(),
  labels: z.record(z.string(), z.string()),
  gate: z.string(),
  lists: z.looseObject({ allow: Sha256, deny: Sha256, passthrough: Sha256 }),
  config: Sha256,
});
export type RunStart = z.infer<typeof RunStart>;

export const RequestRecord = z.looseObject({
  ...base,
  type: z.literal('request'),
  id: z.string(),
  via: Via,
  method: z.string(),
  url: z.string(),
  host: z.string(),
  port: z.int(),
  address: z.string().optional(),
  protocol: z.enum(['http/1.1', 'h2', 'websocket']),
  headers: HeaderList,
  body: z.union([Body, OpenBody, z.null()]),
  decision: Decision,
});
export type RequestRecord = z.infer<typeof RequestRecord>;

/** Header fields after a request body; they stand in `end` as well. */
export const TrailersRecord = z.looseObject({
  ...base,
  type: z.literal('trailers'),
  id: z.string(),
  headers: HeaderList,
});
export type TrailersRecord = z.infer<typeof TrailersRecord>;

/** A head that came before the final one: 100, 103 … */
export const InformationalRecord = z.looseObject({
  ...base,
  type: z.literal('informational'),
  id: z.string(),
  status: z.int().min(100).max(199),
  statusText: z.string().optional(),
  headers: HeaderList,
});
export type InformationalRecord = z.infer<typeof InformationalRecord>;

export const ResponseRecord = z.looseObject({
  ...base,
  type: z.literal('response'),
  id: z.string(),
  status: z.int(),
  statusText: z.string().optional(),
  headers: HeaderList,
  upstream: z.looseObject({ address: z.string(), protocol: z.string().optional() }).optional(),
});
export type ResponseRecord = z.infer<typeof ResponseRecord>;

export const MessageRecord = z.looseObject({
  ...base,
  type: z.literal('message'),
  id: z.string(),
  n: z.int().min(0),
  from: z.enum(['client', 'server']),
  opcode: z.int(),
  body: Body.nullable(),
});
export type MessageRecord = z.infer<typeof MessageRecord>;

const RecordedError = z.looseObject({ code: z.string(), message: z.string() });

export const EndRecord = z.looseObject({
  ...base,
  type: z.literal('end'),
  id: z.string(),
  outcome: Outcome,
  requestBody: Body.nullable().optional(),
  responseBody: Body.nullable().optional(),
  trailers: HeaderList.optional(),
  requestTrailers: HeaderList.optional(),
  error: RecordedError.optional(),
  timing: Timing,
});
export type EndRecord = z.infer<typeof EndRecord>;

/** A tunnel begins; `tunnel` with the same id follows at its end, unless gate is killed before. */
export const TunnelOpen = z.looseObject({
  ...base,
  type: z.literal('tunnel.open'),
  id: z.string(),
  via: TunnelVia,
  host: z.string(),
  port: z.int(),
  sni: z.string().optional(),
  decision: Decision,
});
export type TunnelOpen = z.infer<typeof TunnelOpen>;

export const TunnelRecord = z.looseObject({
  ...base,
  type: z.literal('tunnel'),
  id: z.string(),
  via: TunnelVia,
  host: z.string(),
  port: z.int(),
  sni: z.string().optional(),
  decision: Decision,
  bytesUp: z.int(),
  bytesDown: z.int(),
  outcome: Outcome,
  timing: Timing,
  incomplete: z.literal(true).optional(),
});
export type TunnelRecord = z.infer<typeof TunnelRecord>;

export const DnsRecord = z.looseObject({
  ...base,
  type: z.literal('dns'),
  name: z.string(),
  qtype: z.string(),
  answer: z.string(),
  count: z.int(),
});
export type DnsRecord = z.infer<typeof DnsRecord>;

export const RefusedRecord = z.looseObject({
  ...base,
  type: z.literal('refused'),
  proto: z.string(),
  host: z.string().optional(),
  address: z.string().optional(),
  port: z.int().optional(),
  reason: z.string(),
  count: z.int(),
});
export type RefusedRecord = z.infer<typeof RefusedRecord>;

export const ListReload = z.looseObject({
  ...base,
  type: z.literal('list.reload'),
  list: z.enum(['allow', 'deny', 'passthrough']),
  sha256: Sha256,
  errors: z.array(z.string()),
});
export type ListReload = z.infer<typeof ListReload>;

/** One rule that fired. Codes are open: later versions may have others. */
export const Flag = z.looseObject({ code: z.string(), severity: z.enum(SEVERITIES), detail: z.string() });
export type Flag = z.infer<typeof Flag>;

/** A secret that was recognised, and where; `count` where it stands there more than once. */
export const SecretSighting = z.looseObject({
  kind: z.string(),
  /** `url`, `request.header:<name>`, `request.body`, `response.body`, `message:<n>`. */
  where: z.string(),
  /** Of a message: who sent it. */
  from: z.enum(['client', 'server']).optional(),
  masked: z.string(),
  fingerprint: z.string(),
  /** First place in the decoded text of a body or message, UTF-16 units. */
  start: z.int().optional(),
  end: z.int().optional(),
  count: z.int().optional(),
});
export type SecretSighting = z.infer<typeof SecretSighting>;

/** Tokens, each counted in one place: `input` has no cached ones, and `output` has the reasoning. */
export const Usage = z.looseObject({
  input: z.int(),
  output: z.int(),
  cacheRead: z.int(),
  cacheWrite: z.int(),
  reasoning: z.int(),
});
export type Usage = z.infer<typeof Usage>;

/** What a model call said. */
export const Llm = z.looseObject({
  provider: z.string(),
  api: z.string(),
  model: z.string().nullable(),
  session: z.string().nullable(),
  sessionSource: z.string().nullable(),
  stream: z.boolean(),
  stopReason: z.string().nullable(),
  usage: Usage.nullable(),
  /** Null when no price is known: never 0. */
  costUsd: z.number().nullable(),
  newMessages: z.int(),
  toolCalls: z.array(z.looseObject({ id: z.string(), name: z.string() })),
  toolResults: z.array(
    z.looseObject({ callId: z.string(), name: z.string().optional(), isError: z.boolean() }),
  ),
  error: z.looseObject({ type: z.string(), message: z.string() }).optional(),
});
export type Llm = z.infer<typeof Llm>;

const KindCounts = z.record(z.string(), z.int());

export const AnalysisRecord = z.looseObject({
  ...base,
  type: z.literal('analysis'),
  id: z.string(),
  messages: z.tuple([z.int().min(0), z.int().min(0)]).optional(),
  flags: z.array(Flag),
  secrets: z.array(SecretSighting),
  pii: z.looseObject({ request: KindCounts, response: KindCounts }),
  llm: Llm.optional(),
  content: Body.nullable(),
  parser: z.string(),
  parserVersion: z.int(),
  /** What was not searched, in bytes of the decoded text. */
  notScanned: z.looseObject({ request: z.int().optional(), response: z.int().optional() }).optional(),
});
export type AnalysisRecord = z.infer<typeof AnalysisRecord>;

export const RunEnd = z.looseObject({
  ...base,
  type: z.literal('run.end'),
  exitCode: z.int().optional(),
  signal: z.string().optional(),
  counts: z.record(z.string(), z.int()),
  durationMs: z.number(),
});
export type RunEnd = z.infer<typeof RunEnd>;

/** Any record of a ledger that this version writes. */
export const LedgerRecord = z.discriminatedUnion('type', [
  RunStart,
  RequestRecord,
  TrailersRecord,
  InformationalRecord,
  ResponseRecord,
  MessageRecord,
  EndRecord,
  TunnelOpen,
  TunnelRecord,
  DnsRecord,
  RefusedRecord,
  ListReload,
  AnalysisRecord,
  RunEnd,
]);
export type LedgerRecord = z.infer<typeof LedgerRecord>;
