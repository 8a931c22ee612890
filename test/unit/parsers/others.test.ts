import { describe, expect, test } from 'vitest';
import { isMcpText } from '../../../src/parsers/mcp.ts';
import { readTraffic } from '../../../src/parsers/registry.ts';
import { STREAM, traffic } from './traffic.ts';

const call = {
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name: 'read_env', arguments: { a: 1 } },
};
const result = { jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: 'A=1\nB=2' }] } };

describe('mcp', () => {
  test.each([
    ['JSON', traffic({}).responseHeaders, JSON.stringify(result)],
    ['events', STREAM, `event: message\ndata: ${JSON.stringify(result)}\n\n`],
  ])('a call and its result as %s', (_, responseHeaders, response) => {
    const reading = readTraffic(traffic({ request: JSON.stringify(call), responseHeaders, response }));
    expect(reading.parser.name).toBe('mcp');
    expect(reading.llm).toMatchObject({
      api: 'mcp',
      model: null,
      toolCalls: [{ id: '7', name: 'read_env' }],
      toolResults: [{ callId: '7', name: 'read_env', isError: false }],
    });
    expect(reading.toolResults[0]?.text).toBe('A=1\nB=2');
  });

  test('other JSON-RPC is none', () => {
    expect(isMcpText(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call' }))).toBe(false);
    expect(isMcpText(JSON.stringify([{ jsonrpc: '2.0', id: 1, method: 'initialize' }]))).toBe(true);
  });
});

describe('generic', () => {
  test('says nothing of a model', () => {
    const reading = readTraffic(traffic({ request: '{"a":1}', response: 'text' }));
    expect(reading).toEqual({
      parser: expect.objectContaining({ name: 'generic' }),
      toolResults: [],
      problems: [],
    });
  });

  test('a request that says JSON and is not is a problem', () => {
    expect(readTraffic(traffic({ request: '{"a":' })).problems).toEqual([
      'generic: the request says JSON and is not',
    ]);
  });
});

test('a parser that throws is a problem with its name', () => {
  const broken = {
    name: 'broken',
    version: 1,
    claims: () => true,
    parse: () => {
      throw new Error('oh');
    },
  };
  expect(readTraffic(traffic({}), [broken]).problems).toEqual(['broken: oh']);
});
