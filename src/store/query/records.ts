import {
  AnalysisRecord,
  EndRecord,
  MessageRecord,
  RequestRecord,
  ResponseRecord,
} from '../../core/record.ts';
import { openLines } from '../index/line-at.ts';
import type { AnyRecord } from '../ledger-reader.ts';
import type { SqliteDatabase } from '../sqlite.ts';
import type { EventRow } from './event.ts';

/** The records of one event, as they stand in the ledger. What is damaged there is absent. */
export interface EventRecords {
  /** Of a tunnel or a refusal, its own record. */
  readonly first: AnyRecord | undefined;
  readonly request: RequestRecord | undefined;
  readonly response: ResponseRecord | undefined;
  readonly end: EndRecord | undefined;
  readonly analyses: readonly AnalysisRecord[];
  readonly messages: readonly MessageRecord[];
}

/** Reads the records of an event from the places that the index knows. Throws the system's error. */
export function readEventRecords(database: SqliteDatabase, row: EventRow, ledger: string): EventRecords {
  const lines = openLines(ledger);
  const at = (offset: number | null): AnyRecord | undefined =>
    offset === null ? undefined : lines?.recordAt(offset);
  const pieces = (type: string): unknown[] =>
    database
      .prepare<[number, string], { at: number }>(
        'SELECT at FROM pieces WHERE event = ? AND type = ? ORDER BY n',
      )
      .all(row.id, type)
      .map((piece) => at(piece.at));
  try {
    const first = at(row.request_at);
    return {
      first,
      request: RequestRecord.safeParse(first).data,
      response: ResponseRecord.safeParse(at(row.response_at)).data,
      end: EndRecord.safeParse(at(row.end_at)).data,
      analyses: pieces('analysis').flatMap((piece) => AnalysisRecord.safeParse(piece).data ?? []),
      messages: pieces('message').flatMap((piece) => MessageRecord.safeParse(piece).data ?? []),
    };
  } finally {
    lines?.close();
  }
}
