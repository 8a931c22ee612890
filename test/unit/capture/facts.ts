import type { RunStartFacts } from '../../../src/capture/run-record.ts';
import type { EndFacts, RequestFacts, ResponseFacts } from '../../../src/core/exchange.ts';
import { newRunId } from '../../../src/core/ids.ts';

const NO_LIST = '0'.repeat(64);

export function startFacts(given: Partial<RunStartFacts> = {}): RunStartFacts {
  return {
    run: newRunId(),
    argv: ['agent', '--version'],
    cwd: '/somewhere',
    pid: process.pid,
    user: 'someone',
    host: 'machine',
    mode: 'airtight',
    enforce: false,
    jail: { platform: 'linux', features: [], widened: [] },
    labels: {},
    gate: '0.0.0',
    lists: { allow: NO_LIST, deny: NO_LIST, passthrough: NO_LIST },
    config: NO_LIST,
    ...given,
  };
}

export function requestFacts(given: Partial<RequestFacts> = {}): RequestFacts {
  return {
    via: 'captured',
    method: 'POST',
    url: 'https://api.example.com/v1/messages',
    host: 'api.example.com',
    port: 443,
    protocol: 'http/1.1',
    headers: [
      ['Host', 'api.example.com'],
      ['Content-Type', 'application/json'],
    ],
    decision: { verdict: 'forward', reason: 'allowlisted', list: 'allow', pattern: 'api.example.com' },
    ...given,
  };
}

export function responseFacts(given: Partial<ResponseFacts> = {}): ResponseFacts {
  return {
    status: 200,
    headers: [['content-type', 'application/json']],
    upstream: { address: '192.0.2.7', protocol: 'http/1.1' },
    ...given,
  };
}

export function endFacts(given: Partial<EndFacts> = {}): EndFacts {
  return { outcome: 'complete', timing: { totalMs: 1.5 }, ...given };
}

/** A secret that is made only here, so that no file of the repository holds one. */
export function fakeSecret(prefix: string, length: number): string {
  const letters = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789';
  return (prefix + letters.repeat(8)).slice(0, length);
}
