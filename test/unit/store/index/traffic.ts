import { gzipSync } from 'node:zlib';
import type { RunRecord } from '../../../../src/capture/run-record.ts';
import type { TunnelFacts } from '../../../../src/core/exchange.ts';
import type { GatePaths } from '../../../../src/core/paths.ts';
import { startRecord } from '../../../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../../capture/facts.ts';

/** One of everything that a run can record, through the real recorder. The run is left open. */
export async function recordTraffic(paths: GatePaths): Promise<RunRecord> {
  const start = startFacts({ agent: { name: 'agent' }, git: { root: '/somewhere', branch: 'topic' } });
  const record = await startRecord(paths, start);
  await callModel(record, 'zebra');
  await callModel(record, 'okapi', 3);
  await upload(record);
  await talk(record);
  await record.recorder.request(requestFacts({ url: 'https://api.example.com/open' }), { kind: 'none' });
  const facts: TunnelFacts = {
    via: 'proxy',
    host: 'pinned.example.com',
    port: 443,
    decision: { verdict: 'forward', reason: 'passthrough', list: 'passthrough' },
  };
  const tunnel = await record.recorder.tunnel(facts);
  await tunnel.end({ bytesUp: 12, bytesDown: 3400, outcome: 'complete', timing: { totalMs: 7 } });
  await record.recorder.tunnel({ ...facts, host: 'open.example.com' });
  for (let n = 0; n < 3; n += 1) {
    record.recorder.refused({ proto: 'tcp', address: '192.0.2.1', port: 22, reason: 'port_not_captured' });
  }
  record.recorder.dns({ name: 'api.example.com', qtype: 'A', answer: '198.18.0.1' });
  return record;
}

const seqOf = (id: string): number => Number(id.split(':')[1]);

const NOTHING = { flags: [], secrets: [], pii: { request: {}, response: {} }, parser: 'x', parserVersion: 1 };

function llmOf(tool: string) {
  return {
    ...{
      provider: 'anthropic',
      api: 'messages',
      model: 'model-large',
      session: 's1',
      sessionSource: 'header',
    },
    ...{ stream: false, stopReason: 'end_turn', costUsd: 0.5, newMessages: 1, toolResults: [] },
    usage: { input: 10, output: 20, cacheRead: 30, cacheWrite: 40, reasoning: 0 },
    toolCalls: [{ id: 't1', name: tool }],
  };
}

function contentOf(word: string, tool: string): Buffer {
  const toolCalls = [{ id: 't1', name: tool, input: JSON.stringify({ command: `grep ${word}stripe` }) }];
  const newMessages = [{ role: 'user', text: `where is the ${word}` }];
  return Buffer.from(JSON.stringify({ newMessages, text: 'here', thinking: '', toolCalls, toolResults: [] }));
}

/** A model call; its analysis repeats, and the last one counts. */
async function callModel(record: RunRecord, word: string, times = 1): Promise<void> {
  const exchange = await record.recorder.request(requestFacts(), {
    kind: 'whole',
    bytes: Buffer.from('{"system":"resent rawbody"}'),
  });
  await exchange.informational({ status: 103, headers: [] });
  await exchange.response(responseFacts());
  await exchange.responseData(Buffer.from('{"text":"raw answer"}'));
  await exchange.end(endFacts());
  for (let n = times; n > 0; n -= 1) {
    const tool = `Tool${n}`;
    const flag = { code: 'secret_in_request', severity: 'high', detail: `seen ${n}` };
    const secret = { kind: 'key', where: 'request.body', masked: '… (9)', fingerprint: `f${n}`, count: n };
    const fields = {
      ...{ ...NOTHING, id: exchange.id, flags: [flag], secrets: [secret], llm: llmOf(tool) },
      pii: { request: { email: n }, response: {} },
    };
    await record.analysis(seqOf(exchange.id), fields, contentOf(word, tool));
  }
}

/** A streamed request that is no model call; its answer comes compressed. */
async function upload(record: RunRecord): Promise<void> {
  const url = 'https://files.example.com/some%20place?q=b%C3%BCcher';
  const facts = requestFacts({ url, host: 'files.example.com' });
  const exchange = await record.recorder.request(facts, { kind: 'open', bytes: Buffer.from('first ') });
  await exchange.requestData(Buffer.from('quagga second'));
  await exchange.requestEnd();
  const headers: [string, string][] = [
    ['content-type', 'text/plain'],
    ['content-encoding', 'gzip'],
  ];
  await exchange.response(responseFacts({ headers }));
  await exchange.responseData(gzipSync('a compressed aardvark '.repeat(40)));
  await exchange.end(endFacts());
  await record.analysis(seqOf(exchange.id), { ...NOTHING, id: exchange.id }, Buffer.alloc(0));
}

/** A WebSocket: some of its messages are a model call. Its analyses add to each other. */
async function talk(record: RunRecord): Promise<void> {
  const facts = requestFacts({ method: 'GET', protocol: 'websocket', url: 'https://api.example.com/socket' });
  const socket = await record.recorder.request(facts, { kind: 'none' });
  await socket.response(responseFacts({ status: 101 }));
  for (let n = 0; n < 6; n += 1) {
    await socket.message(
      n % 2 === 0 ? 'client' : 'server',
      n === 5 ? 9 : 1,
      Buffer.from(`message wombat${n}`),
    );
  }
  const seq = seqOf(socket.id);
  for (const [from, to] of [
    [0, 1],
    [2, 3],
  ] as const) {
    const flag = { code: 'env_in_tool_result', severity: 'medium', detail: `at ${from}` };
    const fields = {
      ...NOTHING,
      id: socket.id,
      messages: [from, to],
      flags: [flag],
      llm: llmOf(`Call${from}`),
    };
    await record.analysis(seq, fields, contentOf(`numbat${from}`, `Call${from}`));
  }
  await record.analysis(seq, { ...NOTHING, id: socket.id, messages: [4, 5] }, Buffer.alloc(0));
  await socket.end(endFacts());
  const flag = { code: 'permissive_capture', severity: 'info', detail: 'no jail' };
  await record.analysis(seq, { ...NOTHING, id: socket.id, flags: [flag] }, Buffer.alloc(0));
}
