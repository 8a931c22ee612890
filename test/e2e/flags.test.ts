import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flag } from '../../src/core/analysis.ts';
import { AnalysisRecord } from '../../src/core/record.ts';
import { RULE_CODES } from '../../src/core/rules.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type AnyRecord, GATE, type TestHome, testHome } from '../helpers/product.ts';
import { readJson } from '../helpers/reading.ts';

/** A jailed process does it, and the ledger shows it. */
let home: TestHome;
let origin: HttpsOrigin;
let options: string[];
let release: () => void = () => undefined;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('listed.test', serve, ['unlisted.test']);
  options = [...origin.runOptions, '--allow', 'listed.test'];
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

const SIX = 6 * 1024 * 1024;

function serve(request: IncomingMessage, response: ServerResponse): void {
  const { url } = request;
  request.resume();
  if (url === '/slow') {
    response.write('first\n');
    release = () => response.end('last\n');
    return;
  }
  if (url === '/socket' || url === '/silent-socket') {
    upgrade(request, response);
    return;
  }
  request.on('end', () => {
    if (url === '/large') response.end(Buffer.alloc(SIX));
    else if (url === '/events') response.setHeader('content-type', 'text/event-stream').end('data: {}\n\n');
    else response.end('done\n');
  });
}

/** Accepts a WebSocket; sends one message of text, or none. */
function upgrade(request: IncomingMessage, response: ServerResponse): void {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  const { socket } = request;
  response.detachSocket(socket as never);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  if (request.url === '/socket') socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
  setTimeout(() => socket.end(Buffer.from([0x88, 0])), 300);
}

const curl = (rest: string) => `curl -sS -o /dev/null --max-time 20 ${rest} || true`;
const sockets = (url: string) =>
  curl(
    `--http1.1 -N -H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" ${url}`,
  );
const run = (script: string[], more: readonly string[] = []) =>
  home.gate(['run', ...options, ...more, '--', 'sh', '-c', script.join('\n')]);

function flagsOf(records: readonly AnyRecord[], url: string): string[] {
  const request = records.find((each) => each.type === 'request' && each['url'] === url);
  const analyses = records.filter((each) => each.type === 'analysis' && each['id'] === request?.['id']);
  expect(analyses.length, url).toBeGreaterThan(0);
  return [...new Set(analyses.flatMap((each) => each['flags'] as Flag[]).map(({ code }) => code))];
}

// promise: decide.unlisted
describe('one run with all of it', () => {
  let records: AnyRecord[];
  let stderr: string;
  const key = `sk-ant-api03-${'AbCdEfGh1jKlMn0p'.repeat(6)}AA`;

  beforeAll(async () => {
    const env = {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 't', content: 'A=1\nB=2\nC=3' }],
    };
    writeFileSync(join(home.dir, 'env.json'), JSON.stringify({ model: 'm', messages: [env] }));
    writeFileSync(join(home.dir, 'key.json'), JSON.stringify({ note: `the key is ${key}` }));
    writeFileSync(join(home.dir, 'six'), Buffer.alloc(SIX, 'a b c '));
    const json = '-H "content-type: application/json"';
    const result = await run([
      curl('https://unlisted.test/plain'),
      curl(`-H "authorization: Bearer some-opaque-credential" https://listed.test/header`),
      curl(`-H "authorization: Bearer some-opaque-credential" https://unlisted.test/header`),
      curl(`${json} -d @${home.dir}/key.json https://listed.test/body`),
      curl(`${json} -d @${home.dir}/env.json https://listed.test/v1/messages`),
      curl(`${json} -d '{"a":' https://listed.test/broken`),
      curl(`--data-binary @${home.dir}/six https://listed.test/upload`),
      curl('https://listed.test/large'),
      curl('https://listed.test/events'),
      curl('https://unlisted.test/events'),
      sockets('https://listed.test/socket'),
      sockets('https://listed.test/silent-socket'),
    ]);
    stderr = result.stderr;
    records = home.ledger();
  });

  // promise: rule.host_not_allowlisted, rule.secret_in_request, rule.env_in_tool_result, rule.oversized_request
  // promise: rule.unknown_mcp_endpoint, rule.oversized_response, rule.parse_error, rule.ws_pinned_upstream
  test.each([
    ['https://unlisted.test/plain', ['host_not_allowlisted']],
    ['https://listed.test/header', []],
    ['https://unlisted.test/header', ['host_not_allowlisted', 'secret_in_request']],
    ['https://listed.test/body', ['secret_in_request']],
    ['https://listed.test/v1/messages', ['env_in_tool_result', 'parse_error']],
    ['https://listed.test/broken', ['parse_error']],
    ['https://listed.test/upload', ['oversized_request']],
    ['https://listed.test/large', ['oversized_response']],
    ['https://listed.test/events', []],
    ['https://unlisted.test/events', ['host_not_allowlisted', 'unknown_mcp_endpoint']],
    ['https://listed.test/socket', []],
    ['https://listed.test/silent-socket', ['ws_pinned_upstream']],
  ])('%s', (url, codes) => {
    expect(flagsOf(records, url)).toEqual(codes);
  });

  // promise: read.events
  test('gate events lists by each code what has it, and nothing else', async () => {
    const ids = new Map<string, string[]>();
    for (const analysis of records.filter(({ type }) => type === 'analysis')) {
      for (const { code } of analysis['flags'] as Flag[]) {
        ids.set(code, [...new Set([...(ids.get(code) ?? []), String(analysis['id'])])]);
      }
    }
    expect([...ids.keys()].sort()).toEqual(RULE_CODES.filter((code) => code !== 'permissive_capture').sort());
    for (const code of RULE_CODES) {
      const listed = await readJson(home, 'events', `flag:${code}`);
      const seq = (id: string) => Number(id.split(':')[1]);
      expect(
        listed.map(({ id }) => id).sort((a, b) => seq(a) - seq(b)),
        code,
      ).toEqual((ids.get(code) ?? []).sort((a, b) => seq(a) - seq(b)));
      for (const { flags } of listed) expect(flags.map((flag) => flag.code)).toContain(code);
    }
    const silent = await readJson(home, 'events', 'NOT flag:any');
    expect(silent.map(({ url }) => url)).toEqual([
      'https://listed.test/header',
      'https://listed.test/events',
      'https://listed.test/socket',
    ]);
  });

  // promise: ledger.analysis
  test('every exchange has its analysis, before the end of the run, and none holds the secret', () => {
    const ids = records.filter(({ type }) => type === 'request').map((each) => each['id']);
    const analyses = records.filter(({ type }) => type === 'analysis');
    for (const each of analyses) expect(AnalysisRecord.safeParse(each).error).toBeUndefined();
    expect(new Set(analyses.map((each) => each['id']))).toEqual(new Set(ids));
    expect(records.at(-1)?.type).toBe('run.end');
    expect(JSON.stringify(records)).not.toContain(key.slice(13, 40));
    const masked = analyses.flatMap((each) => each['secrets'] as { masked: string }[]);
    expect(masked.map((each) => each.masked)).toContainEqual(
      expect.stringMatching(/^sk-ant-.*…0pAA \(\d+\)$/),
    );
  });

  // promise: summary
  test('flags are counted as distinct (host, code)', () => {
    expect(stderr).toMatch(/^gate: 12 exchanges, 2 hosts, 4 high flags \(run /);
    expect(records.at(-1)?.['counts']).toMatchObject({ flags: 9, highFlags: 4, unanalysed: 0 });
  });

  test('the chain and all bodies hold', async () => {
    expect(await home.gate(['verify', 'last'])).toMatchObject({ exitCode: 0 });
  });
});

// promise: rule.permissive_capture
test('what was captured without a jail says so', async () => {
  await run([curl('https://listed.test/plain')], ['--mode', 'permissive']);
  expect(flagsOf(home.ledger(), 'https://listed.test/plain')).toEqual(['permissive_capture']);
  const listed = await readJson(home, 'events', 'flag:permissive_capture');
  expect(listed.map(({ url }) => url)).toEqual(['https://listed.test/plain']);
});

// promise: ledger.stream
test('a stream reaches the client while its analysis has not begun', async () => {
  const child = spawn(
    process.execPath,
    [GATE, 'run', ...options, '--', 'curl', '-sSN', 'https://listed.test/slow'],
    { env: home.env, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let before: AnyRecord[] = [];
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out !== 'first\n') return;
    before = home.ledger();
    release();
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(out).toBe('first\nlast\n');
  expect(before.map(({ type }) => type)).toContain('response');
  expect(before.map(({ type }) => type)).not.toContain('analysis');
  expect(flagsOf(home.ledger(), 'https://listed.test/slow')).toEqual([]);
});

test('under nice everything is analysed, too', async () => {
  const command = ['run', ...options, '--', 'sh', '-c', curl('https://listed.test/nice')];
  const gate = await execa('nice', ['-n', '15', process.execPath, GATE, ...command], { env: home.env });
  expect(gate.stderr).toMatch(/^gate: 1 exchange, 1 host \(run /);
  expect(flagsOf(home.ledger(), 'https://listed.test/nice')).toEqual([]);
});

test('20 MB to analyse do not hold up what comes after', async () => {
  const line = 'The quick brown fox jumps over the lazy dog, and then some. ';
  writeFileSync(join(home.dir, 'big'), line.repeat(Math.ceil((20 << 20) / line.length)));
  await run([
    curl(`--data-binary @${home.dir}/big https://listed.test/big`),
    ...Array.from({ length: 5 }, (_, n) => curl(`https://listed.test/small-${n}`)),
  ]);
  const records = home.ledger();
  const seqOf = (type: string, url: string): number => {
    const request = records.find((each) => each['url'] === url);
    return records.find((each) => each.type === type && each['id'] === request?.['id'])?.seq ?? -1;
  };
  expect(flagsOf(records, 'https://listed.test/big')).toContain('oversized_request');
  const last = seqOf('end', 'https://listed.test/small-0');
  expect(last).toBeGreaterThan(0);
  expect(last).toBeLessThan(seqOf('analysis', 'https://listed.test/big'));
});
