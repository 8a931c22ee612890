import { parsedCall } from './conversation.ts';
import { isEventStream, readEvents } from './events.ts';
import { headerOf } from './headers.ts';
import { type Json, objectOf, objectsOf, textOf, tryParse } from './json.ts';
import type { Parsed, Parser, ToolCall, ToolResult, Traffic } from './parser.ts';

/** Methods of the Model Context Protocol (modelcontextprotocol.io/specification); other JSON-RPC is not it. */
const METHOD =
  /^(?:initialize|ping|(?:tools|resources|prompts|roots)\/[a-z/]+|sampling\/createMessage|completion\/complete|logging\/setLevel|elicitation\/create|notifications\/[a-z_/]+)$/;
const HEADERS = ['mcp-session-id', 'mcp-protocol-version'];

/** The Model Context Protocol over HTTP: JSON-RPC in requests, JSON or event streams in answers. */
export const mcp: Parser = {
  name: 'mcp',
  version: 1,
  claims: isMcp,
  parse,
};

/** Whether an exchange is MCP, by its headers or by the methods it names. */
export function isMcp({ requestHeaders, responseHeaders, request }: Traffic): boolean {
  if (HEADERS.some((name) => headerOf(requestHeaders, name) ?? headerOf(responseHeaders, name))) return true;
  return request !== undefined && isMcpText(request);
}

/** Whether a text is a JSON-RPC call, or several, of MCP. */
export function isMcpText(text: string): boolean {
  if (!text.includes('"jsonrpc"') || !/^\s{0,64}[{[]/.test(text.slice(0, 80))) return false;
  return calls(text).some(({ jsonrpc, method }) => jsonrpc === '2.0' && METHOD.test(String(method)));
}

function parse(traffic: Traffic): Parsed {
  const sent = calls(traffic.request ?? '');
  const answers = answersOf(traffic);
  const toolCalls: ToolCall[] = sent
    .filter(({ method }) => method === 'tools/call')
    .map(({ id, params }) => ({
      id: String(id ?? ''),
      name: textOf(objectOf(params)['name']) ?? '',
      input: JSON.stringify(objectOf(params)['arguments'] ?? {}),
    }));
  const toolResults = answers.flatMap((answer) => resultOf(answer, toolCalls));
  const failed = answers.map(({ error }) => objectOf(error)).find(({ message }) => message !== undefined);
  const session =
    headerOf(traffic.requestHeaders, 'mcp-session-id') ?? headerOf(traffic.responseHeaders, 'mcp-session-id');
  return parsedCall({
    provider: traffic.host,
    api: 'mcp',
    model: undefined,
    session: session === undefined ? undefined : { id: session, source: 'mcp-session-id' },
    stream: isEventStream(headerOf(traffic.responseHeaders, 'content-type'), traffic.response),
    stopReason: undefined,
    usage: undefined,
    error:
      failed === undefined
        ? undefined
        : { type: String(failed['code'] ?? 'error'), message: String(failed['message']) },
    content: { newMessages: [], text: '', thinking: '', toolCalls, toolResults },
    allToolResults: toolResults,
    problems: traffic.request !== undefined && sent.length === 0 ? ['the request is no JSON-RPC'] : [],
  });
}

function calls(text: string): Json[] {
  const value = tryParse(text);
  return Array.isArray(value) ? objectsOf(value) : objectsOf([value]);
}

function answersOf({ response, responseHeaders }: Traffic): readonly Json[] {
  if (response === undefined) return [];
  return isEventStream(headerOf(responseHeaders, 'content-type'), response)
    ? readEvents(response).events
    : calls(response);
}

function resultOf({ id, result }: Json, toolCalls: readonly ToolCall[]): ToolResult[] {
  const callId = String(id ?? '');
  const call = toolCalls.find((each) => each.id === callId);
  if (call === undefined || result === undefined) return [];
  const { content, isError } = objectOf(result);
  const text = objectsOf(content)
    .map((part) => textOf(part['text']) ?? textOf(objectOf(part['resource'])['text']) ?? '')
    .join('\n');
  return [{ callId, name: call.name, isError: isError === true, text }];
}
