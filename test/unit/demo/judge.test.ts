import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../src/demo/evidence.ts';
import { judge } from '../../../src/demo/judge.ts';
import type { AgentLine } from '../../../src/demo/line.ts';
import { demoText } from '../../../src/output/demo.ts';
import { evidenceOf, goodRecords, plan } from './evidence.ts';

const good = evidenceOf(goodRecords());
const namesOf = (evidence: Evidence, ok: boolean) =>
  judge(evidence)
    .filter((check) => check.ok === ok)
    .map(({ name }) => name);

test('a demo that went as it should is judged so, with the records that show it', () => {
  const checks = judge(good);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks).toHaveLength(9);
  expect(checks.map(({ id }) => id?.split(':')[1])).toEqual([
    '1',
    '5',
    '16',
    '17',
    '15',
    undefined,
    '9',
    '13',
    undefined,
  ]);
  for (const { seen } of checks) expect(seen).not.toBe('');
});

test('it fits 80 columns and 24 lines, and a failed check stands out', () => {
  const report = {
    ok: true,
    run: '01JJJJJJJJJJJJJJJJJJK3F9QZ',
    checks: judge(good),
    counts: {},
    durationMs: 1,
  };
  const lines = demoText(report).split('\n');
  expect(lines.length).toBeLessThanOrEqual(23);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  const bad = { ...good, exitCode: 7 };
  expect(demoText({ ...report, checks: judge(bad) })).toMatch(
    /^BAD the record[^\n]*\n.*the run ended with 7$/m,
  );
});

/** Records without those that match. */
const without = (isOut: (record: Record<string, unknown>) => boolean) =>
  evidenceOf(goodRecords().filter((record) => !isOut(record)));
/** Records of which some are changed. */
const changed = (isIt: (record: Record<string, unknown>) => boolean, fields: object) =>
  evidenceOf(goodRecords().map((record) => (isIt(record) ? { ...record, ...fields } : record)));
/** The agent tells something else of one of its acts. */
function told(side: 'inside' | 'outside', name: string, fields: object): Evidence {
  const lines = good[side].map((line) =>
    'name' in line && line.name === name ? { ...line, ...fields } : line,
  );
  return { ...good, [side]: lines as AgentLine[] };
}
const heard = (fields: object): Evidence => ({
  ...good,
  arrived: { ...good.arrived, after: { ...good.arrived.after, ...fields } },
});
const neverHeard = (fields: object): Evidence => {
  const heard = { ...good.arrived.before, ...fields };
  return { ...good, arrived: { before: heard, after: heard } };
};
const provided = (fields: object): Evidence => ({
  ...good,
  provider: good.provider.map((call) => ({ ...call, ...fields })),
});
const of = (type: string, id: string) => (record: Record<string, unknown>) =>
  record['type'] === type && String(record['id']).endsWith(`:${id}`);

// promise: demo
describe('a broken proof fails its check, and no other', () => {
  test.each<readonly [string, string, Evidence]>([
    [
      'the call got no answer',
      'model_call',
      told('inside', 'model', { status: undefined, error: 'ECONNRESET' }),
    ],
    ['the stream came at once', 'model_call', provided({ held: false })],
    ['the provider saw other bytes', 'model_call', provided({ requestSha256: '0' })],
    ['the provider sent other bytes', 'model_call', provided({ responseSha256: '0' })],
    ['no end on record', 'model_call', without(of('end', '1'))],
    ['an end that was cut', 'model_call', changed(of('end', '1'), { outcome: 'upstream_reset' })],
    ['the key in a header', 'model_call', changed(of('request', '1'), { headers: [['x-api-key', 'plain']] })],
    ['not read as a model call', 'model_call', changed(of('analysis', '1'), { llm: undefined })],
    ['the denied host answered', 'denied_host', told('inside', 'denied', { status: 200, block: '' })],
    ['an answer without a remedy', 'denied_host', told('inside', 'denied', { message: 'no' })],
    [
      'the denied request went on',
      'denied_host',
      {
        ...good,
        provider: [
          ...good.provider,
          { host: 'denied.test', path: '/', requestSha256: '', responseSha256: '' },
        ],
      },
    ],
    ['the denial is not on record', 'denied_host', without(of('end', '5'))],
    ['the socket connected', 'direct_socket', told('inside', 'socket', { result: 'done' })],
    [
      'the socket was not tried',
      'direct_socket',
      { ...good, inside: good.inside.filter((line) => !('name' in line && line.name === 'socket')) },
    ],
    ['the listener heard it', 'direct_socket', heard({ connections: 2 })],
    ['the listener never works', 'direct_socket', neverHeard({ connections: 0 })],
    ['it fails outside too', 'direct_socket', told('outside', 'socket', { result: 'ECONNREFUSED' })],
    ['the refusal is not on record', 'direct_socket', without(({ proto }) => proto === 'tcp')],
    ['the refusal of another port', 'direct_socket', changed(({ proto }) => proto === 'tcp', { port: 9 })],
    ['the resolver answered', 'own_resolver', told('inside', 'resolver', { result: '192.0.2.53' })],
    ['the resolver was asked', 'own_resolver', heard({ queries: ['a1.leak.test', 'a1.leak.test'] })],
    ['the resolver never works', 'own_resolver', neverHeard({ queries: [] })],
    ['the packet is not on record', 'own_resolver', without(({ proto }) => proto === 'udp')],
    ['an address of somebody else', 'jail_resolver', told('inside', 'name', { result: '192.0.2.1' })],
    ['the name does not resolve', 'jail_resolver', told('inside', 'name', { result: 'ENOTFOUND' })],
    ['the name is not on record', 'jail_resolver', without(({ type }) => type === 'dns')],
    ['the list was edited', 'own_files', told('inside', 'allowlist', { result: 'done' })],
    ['the list changed unseen', 'own_files', { ...good, allowlist: { ...good.allowlist, after: 'x' } }],
    ['nobody can edit it', 'own_files', told('outside', 'allowlist', { result: 'EACCES' })],
    ['the key was read', 'own_files', told('inside', 'caKey', { result: 'done' })],
    ['the key is there', 'own_files', told('inside', 'caKey', { result: 'EACCES' })],
    ['nobody can read the key', 'own_files', told('outside', 'caKey', { result: 'ENOENT' })],
    ['no flag at all', 'secret_leak', changed(of('analysis', '9'), { flags: [] })],
    ['not recognised', 'secret_leak', changed(of('analysis', '9'), { secrets: [] })],
    ['not analysed', 'secret_leak', without(of('analysis', '9'))],
    ['the note was not sent', 'secret_leak', told('inside', 'secret', { status: 502 })],
    ['no flag on the environment', 'environment_leak', changed(of('analysis', '13'), { flags: [] })],
    ['the second call failed', 'environment_leak', told('inside', 'environment', { status: 502 })],
    ['a jail that was widened', 'record', { ...good, providerPort: 4009 }],
    ['no jail', 'record', changed(({ type }) => type === 'run.start', { mode: 'permissive' })],
    ['the record does not verify', 'record', { ...good, verified: { ok: false, bodies: 9 } }],
    ['the run failed', 'record', { ...good, exitCode: 1 }],
    ['no end of the run', 'record', without(({ type }) => type === 'run.end')],
    ['the key in the ledger', 'record', { ...good, ledger: { ...good.ledger, text: `…${plan.key}…` } }],
  ])('%s: %s', (_, name, evidence) => {
    expect(namesOf(evidence, false)).toEqual([name]);
  });

  test('an agent that never ran fails all but the record', () => {
    expect(namesOf({ ...good, inside: [], provider: [] }, true)).toEqual(['record']);
  });
});

test('on a machine with nothing but loopback nothing is recorded of it, and the rest must still hold', () => {
  const offline = { ...plan, outside: { ...plan.outside, address: '127.0.0.1' } };
  const evidence = { ...without(({ type }) => type === 'refused'), plan: offline };
  expect(namesOf(evidence, false)).toEqual([]);
  expect(namesOf({ ...evidence, arrived: heard({ connections: 2 }).arrived }, false)).toEqual([
    'direct_socket',
  ]);
});
