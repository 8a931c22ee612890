import type { Usage } from '../core/analysis.ts';
import { type AnthropicAnswer, readAnswer } from './anthropic-answer.ts';
import { type Call, newItems, parsedCall } from './conversation.ts';
import { headerOf } from './headers.ts';
import { countOf, type Json, objectOf, objectsOf, parseObject, textOf, tryParse } from './json.ts';
import type { MessageText, Parsed, Parser, ToolResult, Traffic } from './parser.ts';

/** Anthropic's Messages API (docs.anthropic.com/en/api/messages), at any host that speaks it. */
export const anthropicMessages: Parser = {
  name: 'anthropic-messages',
  version: 1,
  claims: ({ method, path }) => method === 'POST' && /\/v1\/messages$/.test(path),
  parse,
};

function parse(traffic: Traffic): Parsed {
  const request = parseObject(traffic.request, 'the request');
  const messages = objectsOf(request['messages']);
  const added = newItems(messages, ({ role }) => role === 'assistant');
  const names = toolNames(messages);
  const answer = readAnswer(traffic);
  const call: Call = {
    provider: /bedrock|amazonaws/.test(traffic.host) ? 'bedrock' : 'anthropic',
    api: 'messages',
    model: answer.model ?? textOf(request['model']),
    session: sessionOf(traffic, request),
    stream: request['stream'] === true,
    stopReason: answer.stopReason,
    usage: usageOf(answer),
    error: answer.error,
    content: {
      newMessages: added.map(messageText),
      text: answer.text,
      thinking: answer.thinking,
      toolCalls: answer.toolCalls,
      toolResults: toolResults(added, names),
    },
    allToolResults: toolResults(messages, names),
    problems: answer.problems,
  };
  return parsedCall(call);
}

/** `input_tokens` has no cached tokens in it (docs: prompt caching), so nothing is counted twice. */
function usageOf({ usage }: AnthropicAnswer): Usage | undefined {
  if (usage === undefined) return undefined;
  return {
    input: countOf(usage['input_tokens']),
    output: countOf(usage['output_tokens']),
    cacheRead: countOf(usage['cache_read_input_tokens']),
    cacheWrite: countOf(usage['cache_creation_input_tokens']),
    reasoning: countOf(objectOf(usage['output_tokens_details'])['thinking_tokens']),
  };
}

/**
 * Claude Code names its session in a header, and in `metadata.user_id`: once as JSON in a string, before that as
 * `user_…_account_…_session_<uuid>`.
 */
function sessionOf({ requestHeaders }: Traffic, request: Json): Call['session'] {
  const header = headerOf(requestHeaders, 'x-claude-code-session-id');
  if (header !== undefined && header !== '') return { id: header, source: 'x-claude-code-session-id' };
  const user = textOf(objectOf(request['metadata'])['user_id']);
  if (user === undefined) return undefined;
  const inJson = textOf(objectOf(tryParse(user))['session_id']);
  const id = inJson ?? /_session_([0-9a-fA-F-]{8,64})$/.exec(user)?.[1];
  return id === undefined ? undefined : { id, source: 'metadata.user_id' };
}

function messageText(message: Json): MessageText {
  return { role: textOf(message['role']) ?? '', text: contentText(message['content']) };
}

/** The texts of a content: a string, or blocks of which some hold blocks again. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsOf(content)
    .map((block) => {
      if (block['type'] === 'tool_result') return '';
      return textOf(block['text']) ?? textOf(objectOf(block['source'])['data']) ?? '';
    })
    .filter((text) => text !== '')
    .join('\n');
}

/** Which tool a result belongs to is only said in the call before it. */
function toolNames(messages: readonly Json[]): ReadonlyMap<string, string> {
  const uses = messages
    .flatMap(({ content }) => objectsOf(content))
    .filter(({ type }) => type === 'tool_use' || type === 'server_tool_use');
  return new Map(uses.map(({ id, name }) => [String(id), String(name)]));
}

function toolResults(messages: readonly Json[], names: ReadonlyMap<string, string>): ToolResult[] {
  return messages
    .flatMap(({ content }) => objectsOf(content))
    .filter(({ type }) => typeof type === 'string' && /tool_result$/.test(type))
    .map((block) => {
      const callId = textOf(block['tool_use_id']) ?? '';
      const name = names.get(callId);
      return {
        callId,
        ...(name === undefined ? {} : { name }),
        isError: block['is_error'] === true,
        text: contentText(block['content']),
      };
    });
}
