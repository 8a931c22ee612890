import type { Usage } from '../core/analysis.ts';
import { isEventStream, readEvents } from './events.ts';
import { headerOf } from './headers.ts';
import { countOf, type Json, objectOf, objectsOf, parseObject, textOf } from './json.ts';
import type { ToolCall, Traffic } from './parser.ts';

/** What the Responses API answered, streamed or not. */
export interface OpenAiAnswer {
  readonly model: string | undefined;
  readonly stopReason: string | undefined;
  readonly usage: Usage | undefined;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
  readonly problems: readonly string[];
}

const NOTHING: OpenAiAnswer = {
  model: undefined,
  stopReason: undefined,
  usage: undefined,
  error: undefined,
  text: '',
  thinking: '',
  toolCalls: [],
  problems: [],
};

/** Reads an answer; what cannot be read is in `problems`. */
export function readResponse(traffic: Traffic): OpenAiAnswer {
  const { response, whole, status } = traffic;
  if (response === undefined || status === undefined) return NOTHING;
  if (isEventStream(headerOf(traffic.responseHeaders, 'content-type'), response)) {
    const { events, bad } = readEvents(response);
    const problems = bad > 0 && whole ? [`${bad} events of the response are no JSON`] : [];
    if (events.length === 0 && whole) problems.push('the response stream has no event');
    return { ...fromEvents(events), problems };
  }
  try {
    return fromResponse(parseObject(response, 'the response'));
  } catch (error) {
    // An error page of something on the way is no answer of the API.
    if (!whole || status >= 400) return NOTHING;
    return { ...NOTHING, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

/** The events repeat themselves: the finished response, or finished items, say all; deltas only count where the stream was cut before. */
export function fromEvents(events: readonly Json[]): OpenAiAnswer {
  let head: Json = {};
  const items: Json[] = [];
  let pending = '';
  let error: OpenAiAnswer['error'];
  for (const event of events) {
    const type = textOf(event['type']) ?? '';
    if ('response' in event) head = { ...head, ...objectOf(event['response']) };
    if (type === 'response.output_item.done') {
      items.push(objectOf(event['item']));
      pending = '';
    } else if (type === 'response.output_text.delta') pending += textOf(event['delta']) ?? '';
    else if (type === 'error') error = errorOf(event['error'] ?? event);
  }
  const output = objectsOf(head['output']);
  const isKnown = output.length > 0;
  const answer = fromResponse({ ...head, output: isKnown ? output : items });
  return { ...answer, text: isKnown ? answer.text : answer.text + pending, error: answer.error ?? error };
}

function fromResponse(response: Json): OpenAiAnswer {
  const output = objectsOf(response['output']);
  const incomplete = textOf(objectOf(response['incomplete_details'])['reason']);
  return {
    model: textOf(response['model']),
    stopReason: incomplete ?? textOf(response['status']),
    usage: usageOf(response['usage']),
    error: errorOf(response['error']),
    text: partTexts(output, 'message', 'content'),
    thinking: partTexts(output, 'reasoning', 'summary'),
    toolCalls: output.filter(({ type }) => /_call$/.test(String(type))).map(toolCall),
    problems: [],
  };
}

/** `input_tokens` includes the cached ones, which are billed at their own price: each is counted once here. */
export function usageOf(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const usage = objectOf(value);
  const inputDetails = objectOf(usage['input_tokens_details'] ?? usage['prompt_tokens_details']);
  const outputDetails = objectOf(usage['output_tokens_details'] ?? usage['completion_tokens_details']);
  const cacheRead = countOf(inputDetails['cached_tokens']);
  return {
    input: Math.max(0, countOf(usage['input_tokens'] ?? usage['prompt_tokens']) - cacheRead),
    output: countOf(usage['output_tokens'] ?? usage['completion_tokens']),
    cacheRead,
    cacheWrite: 0,
    reasoning: countOf(outputDetails['reasoning_tokens']),
  };
}

/** An error as both of OpenAI's APIs give it. */
export function errorOf(value: unknown): OpenAiAnswer['error'] {
  if (typeof value !== 'object' || value === null) return undefined;
  const error = objectOf(value);
  return {
    type: textOf(error['type']) ?? textOf(error['code']) ?? 'error',
    message: textOf(error['message']) ?? '',
  };
}

function partTexts(output: readonly Json[], type: string, field: string): string {
  return output
    .filter((item) => item['type'] === type)
    .flatMap((item) => objectsOf(item[field]))
    .map(({ text }) => textOf(text) ?? '')
    .filter((text) => text !== '')
    .join('\n');
}

function toolCall(item: Json): ToolCall {
  const input = item['arguments'] ?? item['input'] ?? item['action'] ?? {};
  return {
    id: textOf(item['call_id']) ?? textOf(item['id']) ?? '',
    name: textOf(item['name']) ?? String(item['type']),
    input: typeof input === 'string' ? input : JSON.stringify(input),
  };
}
