import * as z from 'zod';
import { Flag, Llm, SecretSighting } from './analysis.ts';
import { Body, OpenBody } from './body.ts';
import { Decision } from './decision.ts';
import { HeaderList } from './headers.ts';
import { Outcome, Timing, TunnelVia, Via } from './outcome.ts';
import { Sha256 } from './sha256.ts';

/**
 * The records of a run's ledger: docs/data-format.md is the reference. One JSON object a line; readers keep
 * fields that they do not know, so every object is loose.
 */

const base = { v: z.literal(1), seq: z.int().min(0), at: z.string(), prev: Sha256 };

/** The first record: what was started, by whom, where, under which rules. */
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

/** A request, flushed before anything of it goes upstream; its id is that of the exchange. */
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

/** The final head of an answer, written before its first byte is released. */
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

/** A WebSocket message, or a part of one: those after the first have opcode 0. */
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

/** How an exchange ended, flushed before the last byte of its answer is released. */
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

/** A connection that was passed through unread, when it is over. */
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

/** A name that was asked for, and what gate answered. */
export const DnsRecord = z.looseObject({
  ...base,
  type: z.literal('dns'),
  name: z.string(),
  qtype: z.string(),
  answer: z.string(),
  count: z.int(),
});
export type DnsRecord = z.infer<typeof DnsRecord>;

/** What ended before there was a request. */
export const RefusedRecord = z.looseObject({
  ...base,
  type: z.literal('refused'),
  proto: z.string(),
  host: z.string().optional(),
  address: z.string().optional(),
  port: z.int().optional(),
  reason: z.string(),
  alert: z.string().optional(),
  count: z.int(),
});
export type RefusedRecord = z.infer<typeof RefusedRecord>;

/** A list was changed while the run went on; with errors, the one before stays in force. */
export const ListReload = z.looseObject({
  ...base,
  type: z.literal('list.reload'),
  list: z.enum(['allow', 'deny', 'passthrough']),
  sha256: Sha256,
  errors: z.array(z.string()),
});
export type ListReload = z.infer<typeof ListReload>;

const KindCounts = z.record(z.string(), z.int());

/** What was found in an exchange, or in some messages of one; the last record for the same messages counts. */
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

/** The last record: how the command ended, and what the run counted. */
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
