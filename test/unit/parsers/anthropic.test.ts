import { describe, expect, test } from 'vitest';
import * as provider from '../../../fixtures/provider/anthropic.ts';
import { wire } from '../../../fixtures/provider/scenario.ts';
import { Llm } from '../../../src/core/analysis.ts';
import { readTraffic } from '../../../src/parsers/registry.ts';
import { STREAM, traffic } from './traffic.ts';

const SESSION = '3f0d3a52-5b1c-4a39-9a52-0d7f6a2b1c11';
const HISTORY = [
  { role: 'user', content: 'list the files' },
  {
    role: 'assistant',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }],
  },
  {
    role: 'user',
    content: [
      {
        type: 'tool_result',
        tool_use_id: 'toolu_1',
        is_error: true,
        content: [{ type: 'text', text: 'A=1' }],
      },
      { type: 'text', text: 'go on' },
    ],
  },
];
const request = (more: object = {}) =>
  JSON.stringify({ model: 'claude-x', stream: true, messages: HISTORY, ...more });
const messages = (given: Parameters<typeof traffic>[0]) =>
  readTraffic(traffic({ host: 'api.anthropic.com', path: '/v1/messages', request: request(), ...given }));
const tool = { kind: 'tool', tool: 'Bash', input: { command: 'ls -l' } } as const;
const events = (turn: Parameters<typeof provider.messageEvents>[1]) =>
  provider.messageEvents({ model: 'claude-x-1' }, turn).map(wire).join('');

describe('anthropic-messages', () => {
  test('a stream of text', () => {
    const { llm, content, problems } = messages({
      responseHeaders: STREAM,
      response: events({ kind: 'text', text: 'It is done.' }),
    });
    expect(Llm.parse(llm)).toMatchObject({
      ...{ provider: 'anthropic', api: 'messages', model: 'claude-x-1', stream: true },
      ...{ stopReason: 'end_turn', costUsd: null, newMessages: 1 },
      usage: { input: 12, output: 9, cacheRead: 0, cacheWrite: 0 },
      toolResults: [{ callId: 'toolu_1', name: 'Bash', isError: true }],
    });
    expect(content?.text).toBe('It is done.');
    expect(content?.newMessages).toEqual([{ role: 'user', text: 'go on' }]);
    expect(content?.toolResults[0]?.text).toBe('A=1');
    expect(problems).toEqual([]);
  });

  test.each([
    ['streamed', STREAM, events(tool)],
    ['whole', traffic({}).responseHeaders, JSON.stringify(provider.message({ model: 'claude-x-1' }, tool))],
  ])('a tool call, %s', (_, responseHeaders, response) => {
    const { llm, content } = messages({ responseHeaders, response });
    expect(llm?.stopReason).toBe('tool_use');
    expect(llm?.toolCalls).toMatchObject([{ name: 'Bash' }]);
    expect(content?.toolCalls[0]?.input).toBe('{"command":"ls -l"}');
  });

  test.each([
    [{ metadata: { user_id: JSON.stringify({ device_id: 'd', session_id: SESSION }) } }, 'metadata.user_id'],
    [{ metadata: { user_id: `user_ab12_account__session_${SESSION}` } }, 'metadata.user_id'],
    [{ metadata: { user_id: 'somebody' } }, null],
  ])('the session of %j', (more, source) => {
    const { llm } = messages({ request: request(more) });
    expect([llm?.session, llm?.sessionSource]).toEqual([source === null ? null : SESSION, source]);
  });

  test('the session of the header counts first', () => {
    const { llm } = messages({ requestHeaders: [['X-Claude-Code-Session-Id', SESSION]] });
    expect([llm?.session, llm?.sessionSource]).toEqual([SESSION, 'x-claude-code-session-id']);
  });

  test('cached tokens are counted once, and totals of a stream are not added up', () => {
    const usage = {
      input_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 7,
      output_tokens: 1,
    };
    const response = [
      { type: 'message_start', message: { model: 'm', usage } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { ...usage, output_tokens: 42 } },
    ]
      .map((data) => wire({ event: data.type, data }))
      .join('');
    const { llm } = messages({ responseHeaders: STREAM, response });
    expect(llm?.usage).toEqual({ input: 5, output: 42, cacheRead: 100, cacheWrite: 7, reasoning: 0 });
  });

  test('errors, of the API and of something on the way', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const failed = messages({ status: 529, response: JSON.stringify(error) });
    expect(failed.llm?.error).toEqual({ type: 'overloaded_error', message: 'Overloaded' });
    expect(messages({ status: 502, response: '<html>' }).problems).toEqual([]);
  });

  test('what cannot be read is a problem, and the request is read all the same', () => {
    const { llm, problems } = messages({ response: 'no JSON' });
    expect(problems).toEqual(['anthropic-messages: the response is no JSON object']);
    expect(llm?.model).toBe('claude-x');
    expect(messages({ request: 'no JSON' }).problems).toEqual([
      'anthropic-messages: the request is no JSON object',
    ]);
  });

  test('a stream that was cut says what it has, and is no problem of the parser', () => {
    const whole = events({ kind: 'text', text: 'one two three' });
    const { content, problems } = messages({
      whole: false,
      responseHeaders: STREAM,
      response: whole.slice(0, whole.indexOf('three') - 20),
    });
    expect(content?.text).toBe('one two ');
    expect(problems).toEqual([]);
  });
});
