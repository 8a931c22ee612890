import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LedgerRecord } from '../core/record.ts';
import { readLedger } from '../store/ledger-reader.ts';
import type { AgentLine } from './line.ts';
import type { Attempt, CallName, Plan } from './plan.ts';
import type { ProviderCall } from './provider.ts';
import type { Arrived } from './witness.ts';

/** What was seen of the demo from all sides: all that its checks may go by. */
export interface Evidence {
  readonly plan: Plan;
  /** What the attempts came to outside the jail, where they must work. */
  readonly outside: readonly AgentLine[];
  /** What the jailed agent says. */
  readonly inside: readonly AgentLine[];
  readonly provider: readonly ProviderCall[];
  /** Where it listens on loopback: the one way into this machine that the run is given. */
  readonly providerPort: number;
  /** What the witness had heard before the jail was made, and when all was over. */
  readonly arrived: { readonly before: Arrived; readonly after: Arrived };
  /** SHA-256 of the allowlist, hex. */
  readonly allowlist: { readonly before: string; readonly edited: string; readonly after: string };
  /** Exit code of `gate run`. */
  readonly exitCode: number | null;
  readonly ledger: { readonly text: string; readonly records: readonly LedgerRecord[] };
  /** What `gate verify` says. */
  readonly verified: { readonly ok: boolean; readonly bodies: number };
}

/** Reads a ledger as text and as records; a line that is no record is left out, and `gate verify` will say so. */
export async function readEvidence(ledger: string): Promise<Evidence['ledger']> {
  const records: LedgerRecord[] = [];
  for await (const { record } of readLedger(ledger)) {
    const { data } = LedgerRecord.safeParse(record);
    if (data !== undefined) records.push(data);
  }
  return { text: readFileSync(ledger, 'utf8'), records };
}

/** SHA-256 of a file, hex. */
export function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** What an attempt came to; `not tried` where the agent says nothing of it. */
export function attemptResult(lines: readonly AgentLine[], name: Attempt): string {
  for (const line of lines) if (line.type === 'attempt' && line.name === name) return line.result;
  return 'not tried';
}

export type ToldCall = Extract<AgentLine, { type: 'call' }>;

/** What the agent says of one of its requests. */
export function callTold(lines: readonly AgentLine[], name: CallName): ToldCall {
  for (const line of lines) if (line.type === 'call' && line.name === name) return line;
  return { type: 'call', name, error: 'not made' };
}

type RecordOf<T extends LedgerRecord['type']> = Extract<LedgerRecord, { type: T }>;

/** The records of one type. */
export function recordsOf<T extends LedgerRecord['type']>({ ledger }: Evidence, type: T): RecordOf<T>[] {
  return ledger.records.filter((record): record is RecordOf<T> => record.type === type);
}

/** An exchange as the ledger tells it. */
export interface Exchange {
  readonly request: RecordOf<'request'> | undefined;
  readonly response: RecordOf<'response'> | undefined;
  readonly end: RecordOf<'end'> | undefined;
  readonly analysis: RecordOf<'analysis'> | undefined;
}

/** The nth exchange with a host, from 0. */
export function exchangeWith(evidence: Evidence, host: string, nth = 0): Exchange {
  const request = recordsOf(evidence, 'request').filter((record) => record.host === host)[nth];
  const isIts = ({ id }: { readonly id: string }): boolean => id === request?.id;
  return {
    request,
    response: recordsOf(evidence, 'response').find(isIts),
    end: recordsOf(evidence, 'end').find(isIts),
    analysis: recordsOf(evidence, 'analysis').find(isIts),
  };
}

/** The codes of the flags of an exchange. */
export function flagCodes({ analysis }: Exchange): string[] {
  return analysis?.flags.map(({ code }) => code) ?? [];
}
