import { exchangeId } from '../../core/ids.ts';
import type { Severity } from '../../core/rules.ts';

/** What `gate events --json` prints of one exchange, tunnel or refusal. Fields that are not known are absent. */
export interface ListedEvent {
  /** `<RUN>:<seq>`. */
  readonly id: string;
  readonly run: string;
  readonly kind: 'exchange' | 'tunnel' | 'refused';
  /** When it began: RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly via?: string;
  readonly method?: string;
  readonly url?: string;
  /** Of a refusal: the name, else the address. */
  readonly host?: string;
  readonly port?: number;
  /** `http/1.1`, `h2`, `websocket`; of a refusal `tcp`, `udp`, `icmp` … */
  readonly protocol?: string;
  readonly status?: number;
  /** Absent while it goes on. */
  readonly outcome?: string;
  readonly error?: { readonly code: string };
  readonly decision?: {
    readonly verdict: string;
    readonly reason?: string;
    readonly list?: string;
    readonly pattern?: string;
  };
  /** Why it was refused, and how often the same happened. */
  readonly reason?: string;
  readonly count?: number;
  /** On the wire; of a tunnel, up and down. */
  readonly requestBytes?: number;
  readonly responseBytes?: number;
  /** WebSocket messages. */
  readonly messages?: number;
  /** Milliseconds. */
  readonly timing?: { readonly totalMs?: number; readonly firstByteMs?: number };
  /** Whether its analysis is there: until then flags, secrets and pii are not complete. */
  readonly analysed: boolean;
  /** The worst first. */
  readonly flags: readonly ListedFlag[];
  readonly secrets: readonly ListedSecret[];
  readonly pii: {
    readonly request: Readonly<Record<string, number>>;
    readonly response: Readonly<Record<string, number>>;
  };
  readonly llm?: ListedCall;
}

export interface ListedFlag {
  readonly code: string;
  readonly severity: Severity;
  readonly detail: string;
  readonly dismissed: boolean;
}

export interface ListedSecret {
  readonly kind: string;
  /** `url`, `request.header:<name>`, `request.body`, `response.body`, `message:<n>`. */
  readonly where: string;
  readonly masked: string;
  readonly fingerprint: string;
  readonly count: number;
}

/** The model calls of an exchange, summed up. */
export interface ListedCall {
  readonly provider: string;
  readonly api?: string;
  readonly model?: string;
  readonly session?: string;
  readonly stopReason?: string;
  readonly usage?: {
    readonly input: number;
    readonly output: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
  };
  /** Null where no price is known. */
  readonly costUsd: number | null;
  /** Names. */
  readonly toolCalls: readonly string[];
}

/** A row of `events` with the name of its run. */
export interface EventRow {
  readonly id: number;
  readonly run_name: string;
  readonly seq: number;
  readonly kind: ListedEvent['kind'];
  readonly at: number;
  readonly via: string | null;
  readonly method: string | null;
  readonly url: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly protocol: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly list: string | null;
  readonly pattern: string | null;
  readonly status: number | null;
  readonly outcome: string | null;
  readonly error: string | null;
  readonly request_bytes: number | null;
  readonly response_bytes: number | null;
  readonly messages: number;
  readonly total_ms: number | null;
  readonly first_byte_ms: number | null;
  readonly count: number;
  readonly provider: string | null;
  readonly api: string | null;
  readonly model: string | null;
  readonly session: string | null;
  readonly stop_reason: string | null;
  readonly tokens_in: number | null;
  readonly tokens_out: number | null;
  readonly cache_read: number | null;
  readonly cache_write: number | null;
  readonly cost_usd: number | null;
  readonly tool_calls: string | null;
  readonly request_at: number | null;
  readonly response_at: number | null;
  readonly end_at: number | null;
}

/** What other tables say of an event. */
export type Findings = Pick<ListedEvent, 'analysed' | 'flags' | 'secrets' | 'pii'>;

/** Puts an event in the form in which it is printed. */
export function listedEvent(row: EventRow, findings: Findings): ListedEvent {
  const { run_name: run, seq, kind, at } = row;
  const timing = known({ totalMs: row.total_ms, firstByteMs: row.first_byte_ms });
  const isRefusal = kind === 'refused';
  return {
    id: exchangeId(run, seq),
    run,
    kind,
    at: new Date(at).toISOString(),
    ...known({
      via: row.via,
      method: row.method,
      url: row.url,
      host: row.host,
      port: row.port,
      protocol: row.protocol,
      status: row.status,
      outcome: row.outcome,
    }),
    ...(row.error === null ? {} : { error: { code: row.error } }),
    ...decisionOf(row),
    ...(isRefusal ? { ...known({ reason: row.reason }), count: row.count } : {}),
    ...known({ requestBytes: row.request_bytes, responseBytes: row.response_bytes }),
    ...(row.messages > 0 ? { messages: row.messages } : {}),
    ...(Object.keys(timing).length === 0 ? {} : { timing }),
    ...findings,
    ...callOf(row),
  };
}

function decisionOf({ verdict, reason, list, pattern }: EventRow): Pick<ListedEvent, 'decision'> {
  return verdict === null ? {} : { decision: { verdict, ...known({ reason, list, pattern }) } };
}

function callOf(row: EventRow): Pick<ListedEvent, 'llm'> {
  if (row.provider === null) return {};
  const { tokens_in: input, tokens_out: output } = row;
  const counted = input !== null || output !== null;
  const usage = {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: row.cache_read ?? 0,
    cacheWrite: row.cache_write ?? 0,
  };
  return {
    llm: {
      provider: row.provider,
      ...known({ api: row.api, model: row.model, session: row.session, stopReason: row.stop_reason }),
      ...(counted ? { usage } : {}),
      costUsd: row.cost_usd,
      toolCalls: JSON.parse(row.tool_calls ?? '[]') as string[],
    },
  };
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], null> };

/** Leaves out what is null. */
function known<T extends object>(fields: T): Known<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Known<T>;
}
