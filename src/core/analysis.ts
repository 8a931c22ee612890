import * as z from 'zod';
import { SEVERITIES } from './rules.ts';

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
