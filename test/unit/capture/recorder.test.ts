import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runPaths } from '../../../src/core/paths.ts';
import { LedgerRecord } from '../../../src/core/record.ts';
import { createHeads } from '../../../src/store/heads.ts';
import { openPackReader } from '../../../src/store/pack-reader.ts';
import { findRun } from '../../../src/store/runs.ts';
import { verifyRun } from '../../../src/store/verify.ts';
import { startRecord } from '../../helpers/record.ts';
import { recordsOf, tempPaths } from '../store/support.ts';
import { endFacts, fakeSecret, requestFacts, responseFacts, startFacts } from './facts.ts';

async function openRecord() {
  const paths = tempPaths();
  const start = startFacts();
  const record = await startRecord(paths, start);
  const files = runPaths(paths, start.run);
  const bodyText = async (body: unknown): Promise<string> => {
    const reader = await openPackReader(files.pack);
    const { parts } = body as { parts: [number, number, number][] };
    const bytes = await reader.read({ parts });
    await reader.close();
    return bytes.toString();
  };
  return { paths, start, record, ...files, bodyText };
}

describe('recorder', () => {
  it('writes the life of an exchange as the contract has it', async () => {
    const { paths, record, start, ledger, bodyText } = await openRecord();
    const asked = Buffer.from('{"ask":"what"}');
    const exchange = await record.recorder.request(requestFacts(), { kind: 'whole', bytes: asked });
    expect(exchange.id).toBe(`${start.run}:1`);
    expect((await recordsOf(ledger)).map((line) => line['type'])).toEqual(['run.start', 'request']);
    await exchange.response(responseFacts());
    await exchange.responseData(Buffer.from('{"answer":'));
    expect(readFileSync(runPaths(paths, start.run).pack).includes('{"answer":')).toBe(true);
    await exchange.responseData(Buffer.from('42}'));
    await exchange.end(endFacts({ trailers: [['X-Sum', '1']] }));
    await record.end({ exitCode: 3 });

    const records = await recordsOf(ledger);
    for (const line of records) expect(LedgerRecord.safeParse(line).error).toBeUndefined();
    expect(records.map((line) => line['type'])).toEqual([
      'run.start',
      'request',
      'response',
      'end',
      'run.end',
    ]);
    expect(await bodyText(records[1]?.['body'])).toBe(asked.toString());
    expect(await bodyText(records[3]?.['responseBody'])).toBe('{"answer":42}');
    expect(records[3]).toMatchObject({ id: exchange.id, outcome: 'complete', trailers: [['X-Sum', '1']] });
    expect(records[4]).toMatchObject({ exitCode: 3, counts: { exchanges: 1, hosts: 1, blocked: 0 } });
    expect(createHeads(paths).read().get(start.run)?.ended).toMatchObject({ type: 'closed', records: 5 });
    expect(await verifyRun(findRun(paths, 'last'))).toMatchObject({ ok: true, findings: [], bodies: 2 });
  });

  it('writes heads that come before the final one, masked, and in their order', async () => {
    const { record, ledger } = await openRecord();
    const exchange = await record.recorder.request(requestFacts(), { kind: 'none' });
    const secret = fakeSecret('sk-ant-api03-', 108);
    const headers: [string, string][] = [
      ['Link', '</a>'],
      ['Set-Cookie', `session=${secret}`],
    ];
    await exchange.informational({ status: 103, statusText: 'Early Hints', headers });
    const written = (await recordsOf(ledger)).at(-1);
    expect(LedgerRecord.safeParse(written).error).toBeUndefined();
    expect(written).toMatchObject({ type: 'informational', id: exchange.id, status: 103 });
    expect(written?.['headers']).toMatchObject([
      ['Link', '</a>'],
      ['Set-Cookie', expect.any(String)],
    ]);
    expect(JSON.stringify(written)).not.toContain(secret.slice(13, 40));
    await exchange.response(responseFacts());
    await exchange.end(endFacts());
    await record.end({});
  });

  it('streams request bodies, and says when one did not come to its end', async () => {
    const { record, ledger, bodyText } = await openRecord();
    const open = await record.recorder.request(requestFacts(), { kind: 'open', bytes: Buffer.from('one ') });
    await open.requestData(Buffer.from('two'));
    await open.requestEnd([['X-T', 'v']]);
    expect((await recordsOf(ledger)).at(-1)).toMatchObject({ type: 'trailers', headers: [['X-T', 'v']] });
    await open.end(endFacts({ outcome: 'upstream_error', error: { code: 'connect_failed', message: 'no' } }));
    const cut = await record.recorder.request(requestFacts(), { kind: 'open', bytes: Buffer.alloc(0) });
    await cut.requestData(Buffer.from('half'));
    await cut.end(endFacts({ outcome: 'client_aborted' }));
    const bare = await record.recorder.request(requestFacts({ method: 'GET' }), { kind: 'none' });
    await bare.response(responseFacts({ status: 204 }));
    await bare.end(endFacts());
    await record.end({});

    const records = await recordsOf(ledger);
    const ends = records.filter((line) => line['type'] === 'end');
    expect(records[1]?.['body']).toEqual({ open: true });
    expect(await bodyText(ends[0]?.['requestBody'])).toBe('one two');
    expect(ends[0]).toMatchObject({ requestTrailers: [['X-T', 'v']], error: { code: 'connect_failed' } });
    expect(ends[0]).not.toHaveProperty('responseBody');
    expect(ends[0]?.['requestBody']).not.toHaveProperty('incomplete');
    expect(ends[1]?.['requestBody']).toMatchObject({ bytes: 4, incomplete: true });
    expect(records.find((line) => line['id'] === bare.id)?.['body']).toBeNull();
    expect(ends[2]?.['responseBody']).toBeNull();
  });

  it('records messages, tunnels and analyses', async () => {
    const { record, start, ledger, bodyText } = await openRecord();
    const socket = await record.recorder.request(requestFacts({ protocol: 'websocket' }), { kind: 'none' });
    await socket.response(responseFacts({ status: 101 }));
    await socket.message('client', 1, Buffer.from('{"type":"hello"}'));
    await socket.message('server', 9, Buffer.alloc(0));
    await socket.end(endFacts());
    const decision = { verdict: 'forward', reason: 'passthrough' } as const;
    const tunnel = await record.recorder.tunnel({ via: 'proxy', host: 'bank.example', port: 443, decision });
    await tunnel.end({ bytesUp: 10, bytesDown: 20, outcome: 'complete', timing: { totalMs: 5 } });
    await record.analysis(1, { id: socket.id, flags: [] }, Buffer.from('{"text":"hello"}'));
    await record.end({});

    const records = await recordsOf(ledger);
    const messages = records.filter((line) => line['type'] === 'message');
    expect(messages).toMatchObject([
      { id: socket.id, n: 0, from: 'client', opcode: 1 },
      { n: 1, from: 'server', opcode: 9, body: null },
    ]);
    expect(await bodyText(messages[0]?.['body'])).toBe('{"type":"hello"}');
    expect(records.filter((line) => line['id'] === tunnel.id).map((line) => line['type'])).toEqual([
      'tunnel.open',
      'tunnel',
    ]);
    expect(tunnel.id.startsWith(`${start.run}:`)).toBe(true);
    const analysis = records.find((line) => line['type'] === 'analysis');
    expect(await bodyText(analysis?.['content'])).toBe('{"text":"hello"}');
  });

  it('writes a fact at once, counts its repeats, and counts a flood without its details', async () => {
    const { record, ledger } = await openRecord();
    for (let n = 0; n < 50; n += 1)
      record.recorder.dns({ name: 'a.example', qtype: 'A', answer: '198.18.0.1' });
    for (let n = 0; n < 20_000; n += 1) {
      record.recorder.refused({
        proto: 'tcp',
        address: `192.0.2.${n % 250}`,
        port: n,
        reason: 'port',
        count: 2,
      });
    }
    expect(record.counts()).toMatchObject({ dns: 50, refused: 40_000 });
    await record.end({});
    const records = await recordsOf(ledger);
    const sum = (type: string): number =>
      records.filter((line) => line['type'] === type).reduce((all, line) => all + Number(line['count']), 0);
    expect(records.filter((line) => line['type'] === 'dns').map((line) => line['count'])).toEqual([1, 49]);
    expect(sum('refused')).toBe(40_000);
    expect(records.length).toBeLessThan(600);
  });

  it('ends what nobody ended', async () => {
    const { record, ledger } = await openRecord();
    const left = await record.recorder.request(requestFacts(), { kind: 'open', bytes: Buffer.from('a') });
    await left.response(responseFacts());
    await left.responseData(Buffer.from('partial'));
    await record.end({ signal: 'SIGTERM' });
    const end = (await recordsOf(ledger)).find((line) => line['type'] === 'end');
    expect(end).toMatchObject({ id: left.id, outcome: 'gate_stopped', responseBody: { bytes: 7 } });
  });

  it('lets no credential into the ledger', async () => {
    const { record, ledger } = await openRecord();
    const secret = fakeSecret('sk-ant-api03-', 108);
    const exchange = await record.recorder.request(
      requestFacts({
        url: `https://user:${secret}@api.example.com/v1?key=${secret}`,
        headers: [
          ['Authorization', `Bearer ${secret}`],
          ['X-Odd', `see ${secret}`],
        ],
      }),
      { kind: 'none' },
    );
    await exchange.response(responseFacts({ headers: [['Set-Cookie', `session=${secret}; HttpOnly`]] }));
    await exchange.end(endFacts());
    await record.end({});
    expect(readFileSync(ledger, 'utf8')).not.toContain(secret.slice(13, 40));
  });

  it('rejects, and never throws, once the worker is gone', async () => {
    const { record } = await openRecord();
    const exchange = await record.recorder.request(requestFacts(), { kind: 'none' });
    const failed = new Promise((resolve) => record.onFailure(resolve));
    await record.end({});
    await expect(exchange.responseData(Buffer.from('late'))).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
    await expect(record.recorder.request(requestFacts(), { kind: 'none' })).rejects.toThrow();
    await failed;
  });
});
