import { createSlots } from './conversation.ts';
import { isEventStream, readEvents } from './events.ts';
import { headerOf } from './headers.ts';
import { type Json, objectOf, objectsOf, parseObject, textOf } from './json.ts';
import type { ToolCall, Traffic } from './parser.ts';

/** What the Messages API answered, streamed or not. */
export interface AnthropicAnswer {
  readonly model: string | undefined;
  readonly stopReason: string | undefined;
  readonly usage: Json | undefined;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
  readonly problems: readonly string[];
}

interface Block {
  type: string;
  id: string;
  name: string;
  text: string;
  json: string;
}

const NOTHING: AnthropicAnswer = {
  model: undefined,
  stopReason: undefined,
  usage: undefined,
  error: undefined,
  text: '',
  thinking: '',
  toolCalls: [],
  problems: [],
};

/** Reads an answer; what cannot be read is in `problems`, so that the request's facts are not lost with it. */
export function readAnswer(traffic: Traffic): AnthropicAnswer {
  const { response, whole, status } = traffic;
  if (response === undefined || status === undefined) return NOTHING;
  if (isEventStream(headerOf(traffic.responseHeaders, 'content-type'), response)) {
    return fromEvents(response, whole);
  }
  try {
    return fromMessage(parseObject(response, 'the response'));
  } catch (error) {
    // An error page of something on the way is no answer of the API.
    if (!whole || status >= 400) return NOTHING;
    return { ...NOTHING, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

function fromMessage(message: Json): AnthropicAnswer {
  const blocks = objectsOf(message['content']).map(opened);
  return {
    ...joined(blocks),
    model: textOf(message['model']),
    stopReason: textOf(message['stop_reason']),
    usage: 'usage' in message ? objectOf(message['usage']) : undefined,
    error: errorOf(message),
    problems: [],
  };
}

function fromEvents(text: string, whole: boolean): AnthropicAnswer {
  const { events, bad } = readEvents(text);
  const blocks = createSlots<Block>(() => opened({}));
  let head: Json = {};
  let usage: Json | undefined;
  let stopReason: string | undefined;
  let error: AnthropicAnswer['error'];
  for (const event of events) {
    const { type, index } = event;
    if (type === 'message_start') {
      head = objectOf(event['message']);
      usage = objectOf(head['usage']);
    } else if (type === 'content_block_start') {
      Object.assign(blocks.at(index), opened(objectOf(event['content_block'])));
    } else if (type === 'content_block_delta') {
      extend(blocks.at(index), objectOf(event['delta']));
    } else if (type === 'message_delta') {
      stopReason = textOf(objectOf(event['delta'])['stop_reason']) ?? stopReason;
      // Totals so far, not increments: the last one counts.
      usage = { ...usage, ...defined(objectOf(event['usage'])) };
    } else if (type === 'error') error = errorOf(event);
  }
  const problems = bad > 0 && whole ? [`${bad} events of the response are no JSON`] : [];
  if (events.length === 0 && whole) problems.push('the response stream has no event');
  return { ...joined(blocks.all()), model: textOf(head['model']), stopReason, usage, error, problems };
}

function opened(block: Json): Block {
  const input = block['input'];
  return {
    type: textOf(block['type']) ?? 'text',
    id: textOf(block['id']) ?? '',
    name: textOf(block['name']) ?? '',
    text: textOf(block['text']) ?? textOf(block['thinking']) ?? '',
    json: input === undefined || isEmpty(input) ? '' : JSON.stringify(input),
  };
}

function extend(block: Block, delta: Json): void {
  block.text += textOf(delta['text']) ?? textOf(delta['thinking']) ?? '';
  block.json += textOf(delta['partial_json']) ?? '';
}

function joined(blocks: readonly Block[]): Pick<AnthropicAnswer, 'text' | 'thinking' | 'toolCalls'> {
  const texts = (type: string): string =>
    blocks
      .filter((block) => block.type === type)
      .map(({ text }) => text)
      .join('\n');
  const calls = blocks.filter(({ type }) => /tool_use$/.test(type));
  return {
    text: texts('text'),
    thinking: texts('thinking'),
    toolCalls: calls.map(({ id, name, json }) => ({ id, name, input: json === '' ? '{}' : json })),
  };
}

function errorOf(value: Json): AnthropicAnswer['error'] {
  if (value['type'] !== 'error') return undefined;
  const error = objectOf(value['error']);
  return { type: textOf(error['type']) ?? 'error', message: textOf(error['message']) ?? '' };
}

function defined(usage: Json): Json {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
