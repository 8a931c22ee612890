import { decodeContent } from '../analysis/decode/content.ts';
import { Body } from '../core/body.ts';
import { messageOf } from '../core/errors.ts';
import type { PackReader } from '../store/pack-reader.ts';
import type { ListedEvent } from '../store/query/event.ts';
import type { EventRecords } from '../store/query/records.ts';

/** A body to be taken elsewhere: as it was meant, with its content codings taken off. */
export interface ExportedBody {
  /** On the wire. */
  readonly wireBytes: number;
  readonly sha256: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly bytes: Buffer;
  /** The very bytes of the wire; absent where they were stored decoded. */
  readonly wire?: Buffer;
  /** It was not sent to its end. */
  readonly incomplete: boolean;
  /** Why it is not there, or not decoded. */
  readonly problem?: string;
}

/** One exchange with all that is recorded of it. */
export interface ExportedExchange {
  readonly event: ListedEvent;
  readonly records: EventRecords;
  readonly requestBody: ExportedBody | undefined;
  readonly responseBody: ExportedBody | undefined;
  /** WebSocket messages, in order. */
  readonly messages: readonly {
    readonly from: 'client' | 'server';
    readonly opcode: number;
    readonly at: string;
    readonly body: ExportedBody | undefined;
  }[];
}

/** Reads the bodies of an exchange. Never rejects for a damaged one. */
export async function readExchange(
  event: ListedEvent,
  records: EventRecords,
  pack: PackReader | undefined,
): Promise<ExportedExchange> {
  const { request, end } = records;
  const messages: ExportedExchange['messages'][number][] = [];
  for (const { from, opcode, at, body } of records.messages) {
    messages.push({ from, opcode, at, body: await readBody(body, pack) });
  }
  return {
    event,
    records,
    requestBody: await readBody(end?.requestBody ?? request?.body, pack),
    responseBody: await readBody(end?.responseBody, pack),
    messages,
  };
}

async function readBody(given: unknown, pack: PackReader | undefined): Promise<ExportedBody | undefined> {
  const { data: body } = Body.safeParse(given);
  if (body === undefined) return undefined;
  const { bytes: wireBytes, sha256, type, encoding, stored } = body;
  const facts = {
    ...{ wireBytes, sha256, incomplete: body['incomplete'] === true },
    ...(type === undefined ? {} : { type }),
    ...(encoding === undefined ? {} : { encoding }),
  };
  const nothing = { ...facts, bytes: Buffer.alloc(0) };
  if (pack === undefined) return { ...nothing, problem: 'the file with the bodies of this run is missing' };
  try {
    const bytes = await pack.read(body);
    if (stored === 'decoded') return { ...facts, bytes };
    const decoded = await decodeContent(() => pack.stream(body), encoding, MOST_DECODED);
    const { problem } = decoded;
    return { ...facts, bytes: decoded.bytes, wire: bytes, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    return { ...nothing, problem: messageOf(error) };
  }
}

/** More would fit in no file that a reader of HAR opens. */
const MOST_DECODED = 256 * 1024 * 1024;

/** The text of bytes that are UTF-8 to the last; undefined for all others. */
export function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) && !text.includes('\0') ? text : undefined;
}
