import { type AnyRecord, parseRecord } from '../ledger-reader.ts';
import type { PackReader } from '../pack-reader.ts';
import { bodyText, contentText, hasBytes, unescapeJson, unescapeUrl } from './body-text.ts';
import { firstMessage, objectsOf, textOf } from './fields.ts';

/** What there is to find of one event: the columns of `words`. */
export interface Words {
  readonly host: string;
  readonly url: string;
  readonly text: string;
  readonly tools: string;
}

/** The records of one event that hold texts. */
export interface TextRecords {
  /** The first one: a request, a tunnel or a refusal; absent where its line is damaged. */
  readonly first?: AnyRecord | undefined;
  readonly end?: AnyRecord | undefined;
  /** By number, as in `pieces`; in order. Read one by one, since there may be thousands. */
  readonly analyses: Iterable<AnyRecord>;
  readonly messages: Iterable<AnyRecord>;
}

/** Of each body and each text of a model call, so many bytes are searched for words. */
export const BODY_LIMIT = 256 * 1024;
/** Of all messages, and of all model calls, of one exchange. */
const EVENT_LIMIT = 4 * 1024 * 1024;
/** A `content` that is longer is read up to here, as text. */
const CONTENT_LIMIT = 4 * BODY_LIMIT;

/** Reads texts out of a pack. A body that cannot be read has none: `onLost` counts it. */
export interface TextSource {
  readonly pack: PackReader | undefined;
  onLost(): void;
}

/**
 * The words of one event: the texts of its model calls where an analysis has them, else those of its bodies;
 * messages of a WebSocket where no model call covers them.
 */
export async function wordsOf(records: TextRecords, source: TextSource): Promise<Words> {
  const { first = {}, end } = records;
  const calls = await callTexts(records.analyses, source);
  const texts = [...calls.texts];
  if (calls.covered.length === 0) {
    texts.push(await readBody(source, first['body']));
    texts.push(await readBody(source, end?.['requestBody']));
    texts.push(await readBody(source, end?.['responseBody']));
  }
  texts.push(...(await messageTexts(records.messages, calls.covered, source)));
  return {
    host: textOf(first, 'host') ?? textOf(first, 'address') ?? '',
    url: unescapeUrl(textOf(first, 'url') ?? ''),
    text: texts.filter((text) => text !== '').join('\n'),
    tools: calls.tools.join('\n'),
  };
}

/** First and last message of a model call; of one that is no WebSocket, none. */
type Covered = readonly [number, number];

interface CallTexts {
  readonly covered: readonly Covered[];
  readonly texts: readonly string[];
  readonly tools: readonly string[];
}

async function callTexts(analyses: Iterable<AnyRecord>, source: TextSource): Promise<CallTexts> {
  const found = { covered: [] as Covered[], texts: [] as string[], tools: [] as string[] };
  let left = EVENT_LIMIT;
  for (const analysis of analyses) {
    if (!hasBytes(analysis['content'])) continue;
    if (left <= 0) break;
    const content = await readContent(source, analysis['content']);
    if (content === undefined) continue;
    found.covered.push(rangeOf(analysis));
    found.texts.push(content.text);
    found.tools.push(content.tools);
    left -= content.text.length + content.tools.length;
  }
  return found;
}

function rangeOf(analysis: AnyRecord): Covered {
  const messages = analysis['messages'];
  const last: unknown = Array.isArray(messages) ? messages[1] : undefined;
  return [firstMessage(analysis), Number.isSafeInteger(last) ? Number(last) : -1];
}

/** Undefined where the content cannot be read: the bodies then say what they can. */
async function readContent(
  source: TextSource,
  body: unknown,
): Promise<Pick<Words, 'text' | 'tools'> | undefined> {
  const raw = await readIt(contentText, source, body, CONTENT_LIMIT);
  if (raw === undefined) return undefined;
  // Undefined where it was cut at the limit.
  const content = parseRecord(raw);
  if (content === undefined) return { text: unescapeJson(raw), tools: '' };
  const texts = [
    ...objectsOf(content, 'newMessages').map((message) => textOf(message, 'text')),
    ...objectsOf(content, 'toolResults').map((result) => textOf(result, 'text')),
    textOf(content, 'text'),
    textOf(content, 'thinking'),
  ];
  const tools = objectsOf(content, 'toolCalls').flatMap((call) => [
    textOf(call, 'name'),
    unescapeJson(textOf(call, 'input') ?? ''),
  ]);
  return { text: joined(texts), tools: joined(tools) };
}

function joined(texts: readonly (string | null)[]): string {
  return texts
    .filter((text) => text !== null && text !== '')
    .map((text) => text?.slice(0, BODY_LIMIT))
    .join('\n');
}

async function messageTexts(
  messages: Iterable<AnyRecord>,
  covered: readonly Covered[],
  source: TextSource,
): Promise<string[]> {
  const texts: string[] = [];
  let left = EVENT_LIMIT;
  for (const message of messages) {
    if (left <= 0) break;
    const { n, opcode } = message;
    if (opcode !== 1 && opcode !== 2) continue;
    if (covered.some(([from, to]) => Number(n) >= from && Number(n) <= to)) continue;
    const text = await readBody(source, message['body']);
    texts.push(text);
    left -= text.length;
  }
  return texts;
}

async function readBody(source: TextSource, body: unknown): Promise<string> {
  return (await readIt(bodyText, source, body, BODY_LIMIT)) ?? '';
}

/** Undefined where there is nothing, or nothing that could be read. */
async function readIt(
  get: typeof bodyText,
  source: TextSource,
  body: unknown,
  limit: number,
): Promise<string | undefined> {
  if (!hasBytes(body)) return undefined;
  try {
    if (source.pack === undefined) throw new TypeError('there is no pack');
    return await get(source.pack, body, limit);
  } catch {
    // Missing or damaged: a matter for `gate verify`. The event itself is listed all the same.
    source.onLost();
    return undefined;
  }
}
