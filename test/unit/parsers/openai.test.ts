import { describe, expect, test } from 'vitest';
import * as provider from '../../../fixtures/provider/openai.ts';
import { wire } from '../../../fixtures/provider/scenario.ts';
import { Llm } from '../../../src/core/analysis.ts';
import { readTraffic } from '../../../src/parsers/registry.ts';
import { STREAM, traffic } from './traffic.ts';

const INPUT = [
  { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'list the files' }] },
  { type: 'reasoning', summary: [] },
  { type: 'function_call', call_id: 'call_1', name: 'shell', arguments: '{}' },
  { type: 'function_call_output', call_id: 'call_1', output: 'A=1' },
];
const request = (more: object = {}) =>
  JSON.stringify({ model: 'gpt-x', stream: true, input: INPUT, ...more });
const responses = (given: Parameters<typeof traffic>[0]) =>
  readTraffic(traffic({ host: 'api.openai.com', path: '/v1/responses', request: request(), ...given }));
const tool = { kind: 'tool', tool: 'shell', input: { command: ['ls'] } } as const;

describe('openai-responses', () => {
  test.each([
    ['streamed', STREAM, provider.responseEvents({ model: 'gpt-x-1' }, tool).map(wire).join('')],
    ['whole', traffic({}).responseHeaders, JSON.stringify(provider.response({ model: 'gpt-x-1' }, tool))],
  ])('a call, %s', (_, responseHeaders, response) => {
    const { llm, content, problems } = responses({ responseHeaders, response });
    expect(Llm.parse(llm)).toMatchObject({
      ...{ provider: 'openai', api: 'responses', model: 'gpt-x-1', stopReason: 'completed', costUsd: null },
      usage: { input: 12, output: 9 },
      toolCalls: [{ name: 'shell' }],
      toolResults: [{ callId: 'call_1', name: 'shell', isError: false }],
    });
    expect(content?.toolCalls[0]?.input).toBe('{"command":["ls"]}');
    expect(content?.toolResults[0]?.text).toBe('A=1');
    expect(problems).toEqual([]);
  });

  test('a text counts once: by its deltas until something finished says it', () => {
    const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
    const content = [{ type: 'output_text', text: 'half a word' }];
    const item = { type: 'message', role: 'assistant', content };
    const deltas = ['half ', 'a word'].map((delta) => event({ type: 'response.output_text.delta', delta }));
    const done = event({ type: 'response.output_item.done', item });
    const completed = event({ type: 'response.completed', response: { model: 'm', output: [item] } });
    for (const response of [
      deltas,
      [...deltas, done],
      [...deltas, completed],
      [...deltas, done, completed],
    ]) {
      const read = responses({ responseHeaders: STREAM, response: response.join('') });
      expect(read.content?.text).toBe('half a word');
    }
  });

  test('cached tokens are taken out of the input, which includes them', () => {
    const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 90 }, output_tokens: 3 };
    const { llm } = responses({ response: JSON.stringify({ model: 'm', output: [], usage }) });
    expect(llm?.usage).toEqual({ input: 10, output: 3, cacheRead: 90, cacheWrite: 0, reasoning: 0 });
  });

  test('sessions, and the backend of ChatGPT', () => {
    expect(responses({ requestHeaders: [['session_id', 's-1']] }).llm).toMatchObject({
      session: 's-1',
      sessionSource: 'session_id',
    });
    expect(responses({ request: request({ prompt_cache_key: 'k' }) }).llm?.sessionSource).toBe(
      'prompt_cache_key',
    );
    expect(responses({ path: '/backend-api/codex/responses' }).llm?.api).toBe('chatgpt_backend');
  });
});
