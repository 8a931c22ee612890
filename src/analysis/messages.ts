import type { MessageRecord } from '../core/record.ts';
import { objectsOf, tryParse } from '../parsers/json.ts';
import { isMcpText } from '../parsers/mcp.ts';
import type { Traffic } from '../parsers/parser.ts';
import type { PackReader } from '../store/pack-reader.ts';
import { readBodyText } from './bodies.ts';
import type { Part } from './sightings.ts';

/** Some WebSocket messages of one exchange, as texts. */
export interface MessageTexts {
  /** One a side, to be searched: a secret may be spread over messages. */
  readonly parts: readonly Part[];
  /** Set where the messages are calls of the Responses API: as one call over HTTP would be. */
  readonly traffic: Omit<Traffic, 'host' | 'path' | 'requestHeaders' | 'responseHeaders'> | undefined;
  readonly mcp: boolean;
  readonly problems: readonly string[];
}

interface Message {
  readonly n: number;
  readonly from: 'client' | 'server';
  readonly text: string;
}

/** Reads text and binary messages (RFC 6455, opcodes 1 and 2); control frames say nothing. */
export async function readMessages(
  pack: PackReader,
  records: readonly MessageRecord[],
  limit: number,
  path: string,
): Promise<MessageTexts> {
  const messages: Message[] = [];
  const problems: string[] = [];
  for (const { n, from, opcode, body } of records) {
    if (opcode !== 1 && opcode !== 2) continue;
    const read = await readBodyText(pack, body, limit);
    if (read?.problem !== undefined) problems.push(`message ${n}: ${read.problem}`);
    messages.push({ n, from, text: read?.text ?? '' });
  }
  const of = (from: Message['from']): Message[] => messages.filter((message) => message.from === from);
  const [sent, received] = [of('client'), of('server')];
  return {
    parts: [part(sent, 'client'), part(received, 'server')].filter(({ text }) => text !== ''),
    traffic: /\/responses$/.test(path) ? responsesCall(sent, received) : undefined,
    mcp: messages.some(({ text }) => isMcpText(text)),
    problems,
  };
}

function part(messages: readonly Message[], from: Message['from']): Part {
  const starts: { readonly start: number; readonly n: number }[] = [];
  let length = 0;
  for (const { n, text } of messages) {
    starts.push({ start: length, n });
    length += text.length + 1;
  }
  const where = (at: number): string =>
    `message:${starts.findLast(({ start }) => start <= at)?.n ?? messages[0]?.n ?? 0}`;
  const contentType = messages.length > 1 ? 'application/x-ndjson' : undefined;
  return { where, text: messages.map(({ text }) => text).join('\n'), contentType, from, places: false };
}

/** `response.create` with the request in it, and the events that a stream would have had. */
function responsesCall(sent: readonly Message[], received: readonly Message[]): MessageTexts['traffic'] {
  const creates = objectsOf(sent.map(({ text }) => tryParse(text))).filter(
    ({ type }) => type === 'response.create',
  );
  if (creates.length === 0 && received.length === 0) return undefined;
  const input = creates.flatMap((create) => objectsOf(create['input']));
  return {
    method: 'POST',
    status: 200,
    request: JSON.stringify({ ...creates.at(-1), input, stream: true }),
    response: received.map(({ text }) => `data: ${text.replaceAll('\n', ' ')}\n\n`).join(''),
    whole: false,
  };
}
