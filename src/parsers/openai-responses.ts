import { type Call, newItems, parsedCall } from './conversation.ts';
import { headerOf } from './headers.ts';
import { type Json, objectOf, objectsOf, parseObject, textOf } from './json.ts';
import { readResponse } from './openai-answer.ts';
import type { MessageText, Parsed, Parser, ToolResult, Traffic } from './parser.ts';

const CHATGPT = /\/backend-api\/codex\/responses$/;

/** OpenAI's Responses API (platform.openai.com/docs/api-reference/responses), and ChatGPT's backend for codex. */
export const openaiResponses: Parser = {
  name: 'openai-responses',
  version: 1,
  claims: ({ method, path }) => method === 'POST' && (/\/v1\/responses$/.test(path) || CHATGPT.test(path)),
  parse,
};

function parse(traffic: Traffic): Parsed {
  const request = parseObject(traffic.request, 'the request');
  const items = inputItems(request['input']);
  // With a previous response the server has the history, and all that comes is new.
  const added = textOf(request['previous_response_id']) === undefined ? newItems(items, isModels) : items;
  const names = new Map(
    items
      .filter(({ type }) => /_call$/.test(String(type)))
      .map((item) => [String(item['call_id'] ?? item['id']), textOf(item['name']) ?? String(item['type'])]),
  );
  const answer = readResponse(traffic);
  return parsedCall({
    provider: 'openai',
    api: CHATGPT.test(traffic.path) ? 'chatgpt_backend' : 'responses',
    model: answer.model ?? textOf(request['model']),
    session: sessionOf(traffic, request),
    stream: request['stream'] === true,
    stopReason: answer.stopReason,
    usage: answer.usage,
    error: answer.error,
    content: {
      newMessages: added.filter((item) => !isOutput(item)).map(messageText),
      text: answer.text,
      thinking: answer.thinking,
      toolCalls: answer.toolCalls,
      toolResults: toolResults(added, names),
    },
    allToolResults: toolResults(items, names),
    problems: answer.problems,
  });
}

/** A string is one message of the user. */
function inputItems(input: unknown): Json[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : objectsOf(input);
}

/** What the model said comes back as input: its messages, its reasoning and its calls. */
function isModels({ type, role }: Json): boolean {
  return role === 'assistant' || type === 'reasoning' || (typeof type === 'string' && /_call$/.test(type));
}

function isOutput({ type }: Json): boolean {
  return typeof type === 'string' && /_call_output$/.test(type);
}

function sessionOf({ requestHeaders }: Traffic, request: Json): Call['session'] {
  for (const source of ['session_id', 'session-id', 'x-session-id', 'conversation_id']) {
    const id = headerOf(requestHeaders, source);
    if (id !== undefined && id !== '') return { id, source };
  }
  const key = textOf(request['prompt_cache_key']);
  return key === undefined ? undefined : { id: key, source: 'prompt_cache_key' };
}

function messageText(item: Json): MessageText {
  return { role: textOf(item['role']) ?? String(item['type'] ?? ''), text: contentText(item['content']) };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map((part) => textOf(part['text']) ?? textOf(part['refusal']) ?? '')
    .filter((text) => text !== '')
    .join('\n');
}

function toolResults(items: readonly Json[], names: ReadonlyMap<string, string>): ToolResult[] {
  return items.filter(isOutput).map((item) => {
    const callId = textOf(item['call_id']) ?? '';
    const name = names.get(callId);
    return {
      callId,
      ...(name === undefined ? {} : { name }),
      isError: item['is_error'] === true || item['status'] === 'failed',
      text: outputText(item['output']),
    };
  });
}

/** A text, parts, or (by older clients) JSON in a text or an object with the text in `output` or `content`. */
function outputText(output: unknown): string {
  if (typeof output !== 'string') {
    const parts = contentText(output);
    if (parts !== '') return parts;
    const held = objectOf(output);
    return textOf(held['content']) ?? textOf(held['output']) ?? '';
  }
  if (!output.startsWith('{')) return output;
  try {
    const held = objectOf(JSON.parse(output));
    return textOf(held['output']) ?? textOf(held['content']) ?? output;
  } catch {
    // Braces are no proof of JSON.
    return output;
  }
}
