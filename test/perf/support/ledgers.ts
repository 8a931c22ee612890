import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { newRunId } from '../../../src/core/ids.ts';
import { type GatePaths, runPaths } from '../../../src/core/paths.ts';
import { innerJson } from '../../../src/store/chain.ts';
import type { BodyMeta } from '../../../src/store/pack-writer.ts';
import { type BodyInput, createRunFiles, type RunFiles } from '../../../src/store/run-files.ts';

/** A run that is written without flushing, as fast as its files can be made. */
export interface QuickRun {
  readonly run: string;
  /** Adds a record, with bodies by field name. Gives its seq. */
  add(type: string, fields: object, bodies?: Readonly<Record<string, QuickBody>>): number;
  /** Bytes of the ledger. */
  close(): number;
}

export interface QuickBody {
  readonly meta: BodyMeta;
  readonly bytes: Buffer;
}

const FLUSH = 4 * 1024 * 1024;

/** Begins the files of a run. */
export function openQuickRun(paths: GatePaths): QuickRun {
  const run = newRunId();
  const { dir, ledger, pack } = runPaths(paths, run);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fds = { ledger: openSync(ledger, 'ax', 0o600), pack: openSync(pack, 'ax', 0o600) };
  const files: RunFiles = createRunFiles();
  let seq = 0;
  let text = '';
  let written = 0;
  let at = Date.now() - 86_400_000;

  function flush(): void {
    written += writeSync(fds.ledger, text);
    text = '';
  }

  return {
    run,
    add(type, fields, bodies = {}) {
      at += 7;
      const inputs = Object.entries(bodies).map(([name, { meta, bytes }]): [string, BodyInput] => {
        return [name, { kind: 'whole', meta, bytes }];
      });
      const head = { seq, type, at: new Date(at).toISOString() };
      files.record(head, innerJson(fields), Object.fromEntries(inputs));
      const made = files.take();
      for (const frame of made.pack) writeSync(fds.pack, frame);
      text += made.ledger;
      if (text.length > FLUSH) flush();
      seq += 1;
      return seq - 1;
    },
    close() {
      flush();
      closeSync(fds.ledger);
      closeSync(fds.pack);
      return written;
    },
  };
}

const HOSTS = ['api.example.com', 'models.example.net', 'registry.example.org', 'cdn.example.com'];
const MODELS = ['model-large', 'model-small'];

export interface Traffic {
  readonly exchanges: number;
  /** Texts of one exchange; none without it. */
  readonly text?: (n: number) => { readonly request: string; readonly response: string };
}

/** Fills a run with exchanges: four records each, one in ten with flags, every second a model call. */
export function fillRun(run: QuickRun, { exchanges, text }: Traffic): void {
  run.add('run.start', {
    ...{ run: run.run, argv: ['agent'], cwd: '/work', mode: 'airtight', enforce: false, labels: {} },
    ...{ agent: { name: 'agent' }, jail: { platform: 'linux', features: [], widened: [] } },
  });
  for (let n = 0; n < exchanges; n += 1) fillExchange(run, n, text?.(n));
  run.add('run.end', { exitCode: 0, counts: { exchanges }, durationMs: exchanges * 7 });
}

function fillExchange(run: QuickRun, n: number, texts?: { request: string; response: string }): void {
  const host = HOSTS[n % HOSTS.length] ?? '';
  const type = 'application/json';
  const bodyOf = (side: BodyMeta['side'], body: string, seq: number): QuickBody => ({
    meta: { exchange: seq, side, type },
    bytes: Buffer.from(body),
  });
  const request = {
    ...{
      via: 'captured',
      method: 'POST',
      url: `https://${host}/v1/messages/${n}?beta=true`,
      host,
      port: 443,
    },
    ...{ address: '198.18.0.7', protocol: 'http/1.1', headers: headersOf(n) },
    decision: { verdict: 'forward', reason: 'allowlisted', list: 'allow', pattern: host },
  };
  // The id needs the seq that the record will get.
  const seq = n * 4 + 1;
  const id = `${run.run}:${seq}`;
  const sent = texts === undefined ? undefined : { body: bodyOf('request', texts.request, seq) };
  run.add('request', { id, ...request, ...(sent === undefined ? { body: null } : {}) }, sent);
  run.add('response', { id, status: n % 50 === 0 ? 500 : 200, headers: headersOf(n) });
  const got = texts === undefined ? undefined : { responseBody: bodyOf('response', texts.response, seq) };
  const timing = { connectMs: 1.25, firstByteMs: 42.5, totalMs: 180.125 };
  run.add(
    'end',
    { id, outcome: 'complete', timing, ...(got === undefined ? { responseBody: null } : {}) },
    got,
  );
  run.add('analysis', { id, ...analysisOf(n), content: null });
}

function headersOf(n: number): [string, string][] {
  return [
    ['Host', 'api.example.com'],
    ['Content-Type', 'application/json'],
    ['User-Agent', 'agent/1.2.3 (linux; x64)'],
    ['Authorization', 'Bearer … (12)'],
    ['X-Request-Id', `req_${n}`],
  ];
}

function analysisOf(n: number): object {
  const flags =
    n % 10 === 0 ? [{ code: 'host_not_allowlisted', severity: 'high', detail: 'not on the allowlist' }] : [];
  const secrets =
    n % 20 === 0
      ? [{ kind: 'api_key', where: 'request.body', masked: '… (40)', fingerprint: (n % 97).toString(16) }]
      : [];
  const usage = { input: 1200, output: 350, cacheRead: 9000, cacheWrite: 0, reasoning: 0 };
  const llm = {
    ...{ provider: 'example', api: 'messages', model: MODELS[n % 2], session: `s-${n >> 6}`, stream: true },
    ...{ sessionSource: 'metadata', stopReason: 'end_turn', usage, costUsd: 0.0125, newMessages: 1 },
    ...{ toolCalls: [{ id: `t${n}`, name: 'Bash' }], toolResults: [] },
  };
  return {
    ...{ flags, secrets, pii: { request: n % 7 === 0 ? { email: 2 } : {}, response: {} } },
    ...(n % 2 === 0 ? { llm } : {}),
    ...{ parser: n % 2 === 0 ? 'anthropic' : 'generic', parserVersion: 1 },
  };
}
