import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_PREV } from '../../src/core/../store/chain.ts';
import {
  type EndRecord,
  LedgerRecord,
  type MessageRecord,
  type RequestRecord,
  type ResponseRecord,
} from '../../src/core/record.ts';

/** Everything that a ledger says of one exchange. */
export interface Recorded {
  readonly request: RequestRecord;
  readonly response: ResponseRecord | undefined;
  readonly messages: readonly MessageRecord[];
  readonly end: EndRecord | undefined;
}

/** The only run under a GATE_HOME. */
export interface Run {
  /** The file as it is. */
  readonly text: string;
  readonly records: readonly LedgerRecord[];
  readonly exchanges: readonly Recorded[];
}

/** Parses every line and walks the chain; throws at the first line that does not hold. */
function readRecords(text: string): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  let prev = FIRST_PREV;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const found = JSON.parse(line) as { prev: string; type: string };
    if (found.prev !== prev) throw new Error(`the chain breaks at ${line.slice(0, 200)}`);
    prev = createHash('sha256').update(line).digest('hex');
    // The analysis follows from the facts, and has tests of its own.
    if (found.type !== 'analysis') records.push(LedgerRecord.parse(found));
  }
  return records;
}

/** Reads the ledger of the one run that a fresh GATE_HOME holds. */
export function readRun(gateHome: string): Run {
  const runs = join(gateHome, 'data', 'runs');
  const [name, ...more] = readdirSync(runs);
  if (name === undefined || more.length > 0) throw new Error(`expected one run in ${runs}`);
  const text = readFileSync(join(runs, name, 'ledger.jsonl'), 'utf8');
  const records = readRecords(text);
  const exchanges = records
    .filter((record) => record.type === 'request')
    .map((request) => ({
      request,
      response: records.find((record) => record.type === 'response' && record.id === request.id) as
        | ResponseRecord
        | undefined,
      messages: records.filter(
        (record) => record.type === 'message' && record.id === request.id,
      ) as MessageRecord[],
      end: records.find((record) => record.type === 'end' && record.id === request.id) as
        | EndRecord
        | undefined,
    }));
  return { text, records, exchanges };
}
