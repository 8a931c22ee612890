import { Decision } from '../core/decision.ts';
import { readLedger } from './ledger-reader.ts';

/** What was decided of one request or tunnel. */
export interface Decided {
  readonly type: 'request' | 'tunnel';
  readonly at: string;
  readonly host: string;
  readonly port: number;
  readonly decision: Decision;
}

/**
 * Streams the decisions of a run, in one pass over its ledger. Damaged lines are passed over, as they are a matter
 * for `gate verify`; a missing ledger has none. Throws the system's error.
 */
export async function* readDecisions(ledger: string): AsyncGenerator<Decided, void, undefined> {
  for await (const { record } of readLedger(ledger)) {
    const type = record?.['type'];
    if (record === undefined || (type !== 'request' && type !== 'tunnel')) continue;
    const { at, host, port } = record;
    const { data: decision } = Decision.safeParse(record['decision']);
    if (typeof host !== 'string' || typeof port !== 'number' || decision === undefined) continue;
    yield { type, at: typeof at === 'string' ? at : '', host, port, decision };
  }
}
