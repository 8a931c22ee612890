import { EndRecord, MessageRecord, RequestRecord, ResponseRecord } from '../core/record.ts';
import { followLedger } from './ledger-tail.ts';
import type { Job } from './protocol.ts';

/** The records of one exchange, as far as the ledger has been read. */
export interface ExchangeRecords {
  request?: RequestRecord;
  response?: ResponseRecord;
  end?: EndRecord;
  /** Those that have not been analysed. */
  messages: MessageRecord[];
  /** Text and binary messages so far. */
  dataMessages: number;
}

/** Follows the ledger of a run that goes on. */
export interface Follower {
  /** The records that a job is about. Throws where the ledger does not have them. */
  find(job: Job): ExchangeRecords;
  /** The job's records are not needed any more. */
  forget(job: Job): void;
}

/** Reads each line once, and keeps the records of exchanges that are still to be analysed. */
export function createFollower(ledger: string): Follower {
  const known = new Map<string, ExchangeRecords>();
  const tail = followLedger(ledger);

  function of(id: string): ExchangeRecords {
    const found = known.get(id) ?? { messages: [], dataMessages: 0 };
    known.set(id, found);
    return found;
  }

  function note(record: Readonly<Record<string, unknown>>): void {
    if (record['type'] === 'request') {
      const request = RequestRecord.parse(record);
      of(request.id).request = request;
    } else if (record['type'] === 'response') {
      const response = ResponseRecord.parse(record);
      of(response.id).response = response;
    } else if (record['type'] === 'end') {
      const end = EndRecord.parse(record);
      of(end.id).end = end;
    } else if (record['type'] === 'message') {
      const message = MessageRecord.parse(record);
      const exchange = of(message.id);
      exchange.messages.push(message);
      if (message.opcode === 1 || message.opcode === 2) exchange.dataMessages += 1;
    } else if (record['type'] === 'analysis') {
      // Of a worker before this one: what is analysed needs no place here.
      const exchange = known.get(String(record['id']));
      if (exchange?.end !== undefined) known.delete(String(record['id']));
    }
  }

  return {
    find(job) {
      if (!isThere(known.get(job.id), job)) tail.read(note);
      const found = known.get(job.id);
      if (found === undefined || !isThere(found, job)) {
        throw new Error(`the ledger has no records of ${job.id}`);
      }
      const [from, to] = job.messages ?? [0, -1];
      return { ...found, messages: found.messages.filter(({ n }) => n >= from && n <= to) };
    },
    forget(job) {
      const found = known.get(job.id);
      if (found === undefined) return;
      const to = job.messages?.[1] ?? -1;
      if (job.ended) known.delete(job.id);
      else found.messages = found.messages.filter(({ n }) => n > to);
    },
  };
}

function isThere(records: ExchangeRecords | undefined, job: Job): boolean {
  if (records?.request === undefined) return false;
  if (job.ended) return records.end !== undefined;
  return job.messages === undefined || (records.messages.at(-1)?.n ?? -1) >= job.messages[1];
}
