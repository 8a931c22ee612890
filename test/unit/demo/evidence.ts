import { createHash, randomBytes } from 'node:crypto';
import { LedgerRecord } from '../../../src/core/record.ts';
import type { Evidence } from '../../../src/demo/evidence.ts';
import { madeUpKey } from '../../../src/demo/home.ts';
import type { Plan } from '../../../src/demo/plan.ts';

/** Records as they come to be written: without envelope. */
type Fields = { readonly type: string } & Readonly<Record<string, unknown>>;

const RUN = '01JJJJJJJJJJJJJJJJJJK3F9QZ';
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const body = (text: string) => ({ bytes: text.length, sha256: sha(text), stored: 'wire', parts: [] });

export const plan: Plan = {
  key: madeUpKey(),
  outside: { address: '192.0.2.7', tcpPort: 4001, udpPort: 4002 },
  names: { outside: 'a1.leak.test', jail: 'b2.leak.test' },
  allowlist: '/x/config/allowlist.txt',
  caKey: '/x/config/ca/ca.key',
};

/** What a ledger says of a demo that went as it should. */
export function goodRecords(): Fields[] {
  const exchange = (seq: number, host: string, path: string, text: string) => ({
    request: {
      ...{ type: 'request', id: `${RUN}:${seq}`, via: 'captured', method: 'POST' },
      ...{ url: `https://${host}${path}`, host, port: 443, protocol: 'http/1.1' },
      headers: [['x-api-key', 'sk-ant-…xxAA (108)#ab12cd34']],
      body: body(text),
    },
    response: { type: 'response', id: `${RUN}:${seq}`, status: 200, headers: [] },
    end: { type: 'end', id: `${RUN}:${seq}`, outcome: 'complete', timing: { totalMs: 5 } },
    analysis: {
      ...{ type: 'analysis', id: `${RUN}:${seq}`, flags: [], secrets: [], content: null },
      ...{ pii: { request: {}, response: {} }, parser: 'generic', parserVersion: 1 },
    },
  });
  const llm = {
    ...{ provider: 'anthropic', api: 'messages', model: 'm', session: null, sessionSource: null },
    ...{ stream: true, stopReason: null, usage: null, costUsd: null, newMessages: 1 },
    ...{ toolCalls: [], toolResults: [] },
  };
  const flag = (code: string, detail = '') => ({ code, severity: 'high', detail });
  const allowed = { verdict: 'forward', reason: 'allowlisted', list: 'allow', pattern: 'model.test' };
  const model = exchange(1, 'model.test', '/v1/messages', 'question');
  const denied = exchange(5, 'denied.test', '/report', '');
  const secret = exchange(9, 'collector.test', '/notes', 'note');
  const env = exchange(13, 'model.test', '/v1/messages', 'environment');
  const key = {
    kind: 'anthropic_api_key',
    where: 'request.body',
    masked: 'sk-ant-…',
    fingerprint: 'ab12cd34',
  };
  return [
    {
      ...{ type: 'run.start', run: RUN, argv: [], cwd: '/', pid: 1, user: 'u', host: 'h' },
      ...{ mode: 'airtight', enforce: false, labels: {}, gate: '0', config: sha('') },
      jail: { platform: 'linux', features: [], widened: ['local:4000'] },
      lists: { allow: sha(''), deny: sha(''), passthrough: sha('') },
    },
    { ...model.request, decision: allowed },
    model.response,
    { ...model.end, responseBody: body('stream') },
    { ...model.analysis, llm },
    { ...denied.request, decision: { verdict: 'deny', reason: 'denylisted', list: 'deny' } },
    { ...denied.end, outcome: 'denied' },
    { ...secret.request, decision: { verdict: 'forward', reason: 'unlisted' } },
    secret.response,
    secret.end,
    {
      ...secret.analysis,
      flags: [flag('host_not_allowlisted'), flag('secret_in_request')],
      secrets: [key],
    },
    { ...env.request, decision: allowed },
    env.response,
    env.end,
    {
      ...env.analysis,
      llm,
      flags: [flag('env_in_tool_result', '30 KEY=VALUE lines in one result of Bash')],
    },
    { type: 'dns', name: 'b2.leak.test', qtype: 'A', answer: '198.18.0.19', count: 1 },
    refused('tcp', 4001),
    refused('udp', 4002),
    { type: 'run.end', exitCode: 0, counts: { exchanges: 4 }, durationMs: 900 },
  ];
}

function refused(proto: string, port: number): Fields {
  return { type: 'refused', proto, address: '192.0.2.7', port, reason: 'port_not_captured', count: 1 };
}

/** Evidence with these records; each gets its envelope, and must be one. */
export function evidenceOf(records: readonly Fields[]): Evidence {
  const attempt = (name: string, result: string) => ({ type: 'attempt', name, result }) as never;
  const call = (name: string, rest: object) => ({ type: 'call', name, ...rest }) as never;
  const heard = { connections: 1, queries: ['a1.leak.test'] };
  const message = 'ask the user to type: gate deny --remove denied.test';
  return {
    plan,
    outside: [
      attempt('socket', 'done'),
      attempt('resolver', '192.0.2.53'),
      attempt('allowlist', 'done'),
      attempt('caKey', 'done'),
    ],
    inside: [
      { type: 'first-event' },
      call('model', { status: 200, events: 8 }),
      call('denied', { status: 403, block: 'denylisted', message }),
      call('secret', { status: 200 }),
      call('environment', { status: 200, events: 8 }),
      attempt('socket', 'ECONNREFUSED'),
      attempt('resolver', 'ECONNREFUSED'),
      attempt('name', '198.18.0.19'),
      attempt('allowlist', 'EROFS'),
      attempt('caKey', 'ENOENT'),
    ],
    provider: [
      {
        ...{ host: 'model.test', path: '/v1/messages', held: true },
        ...{ requestSha256: sha('question'), responseSha256: sha('stream') },
      },
    ],
    providerPort: 4000,
    arrived: { before: heard, after: heard },
    allowlist: { before: sha('list'), edited: sha('edited'), after: sha('list') },
    exitCode: 0,
    ledger: {
      text: JSON.stringify(records),
      records: records.map((fields, seq) =>
        LedgerRecord.parse({
          v: 1,
          seq,
          at: new Date(0).toISOString(),
          prev: sha(randomBytes(4).toString()),
          ...fields,
        }),
      ),
    },
    verified: { ok: true, bodies: 9 },
  };
}
