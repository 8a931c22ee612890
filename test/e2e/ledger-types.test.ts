import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LedgerRecord } from '../../src/core/record.ts';
import { createTestAuthority } from '../helpers/certs.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type AnyRecord, type TestHome, testHome } from '../helpers/product.ts';

/** One run in which everything happens that is recorded, held against the tables of docs/data-format.md. */
let home: TestHome;
let origin: HttpsOrigin;
let records: AnyRecord[];

const ENVELOPE = ['v', 'seq', 'type', 'at', 'prev'];
/** Fields that are there only in runs of another kind. */
const ELSEWHERE = new Set(['run.start.agent', 'run.end.signal', 'tunnel.incomplete', 'analysis.notScanned']);
const SECRET = `sk-ant-api03-${'AbCdEfGh1jKlMn0p'.repeat(6)}AA`;

const LISTED = 'listed.test';
const PASSED = 'passed.test';
/** What the command does: Node is everywhere where gate is. */
const PROGRAM = `
const { request } = require('node:https'), net = require('node:net'), fs = require('node:fs');
const socketHead = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
const call = (host, path, headers, send, more) => new Promise((done) => {
  const sent = request({ host, path, headers, method: send ? 'POST' : 'GET', ...more });
  sent.on('response', (answer) => answer.on('error', done).on('close', done).resume());
  sent.on('upgrade', (answer, socket) => socket.on('close', done).resume());
  sent.on('error', done);
  if (send) send(sent); else sent.end();
});
const json = { 'content-type': 'application/json' };
const refused = () => new Promise((done) => net.connect(9, '203.0.113.9').on('error', done));
const unread = () => new Promise((done) => net.connect(443, '${LISTED}').on('close', done).resume().write('SSH-2.0-x\\r\\n'));
const pinned = () => new Promise((done) => require('node:child_process')
  .execFile('curl', ['-sS', '--cacert', 'other.pem', '--capath', '.', 'https://${LISTED}/'], done));
const changed = () => new Promise((done) => {
  const timer = setInterval(() => fs.existsSync('go') && done(clearInterval(timer)), 50);
});
(async () => {
  await call('${LISTED}', '/early');
  await call('${LISTED}', '/v1/messages', json, (sent) => sent.end(fs.readFileSync('ask.json')));
  await call('${LISTED}', '/open', { 'transfer-encoding': 'chunked' }, (sent) => {
    sent.write('one ');
    setTimeout(() => { sent.addTrailers({ 'X-Sum': '1' }); sent.end('two'); }, 300);
  });
  await call('${LISTED}', '/reset');
  await call('${LISTED}', '/socket', socketHead);
  await call('${PASSED}', '/unread', {}, undefined, { rejectUnauthorized: false });
  await refused();
  await unread();
  await pinned();
  fs.writeFileSync('ready', '');
  await changed();
})();
`;

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === '/socket') {
    upgrade(response);
    return;
  }
  if (request.url === '/reset') {
    response.writeHead(200, { 'content-length': '9' }).write('half');
    setTimeout(() => request.socket.destroy(), 100);
    return;
  }
  request.on('end', () => {
    if (request.url === '/early') response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    if (request.url === '/v1/messages') response.setHeader('content-type', 'application/json');
    if (request.url === '/open') response.setHeader('trailer', 'X-Sum');
    response.write(request.url === '/v1/messages' ? ANSWER : 'done');
    if (request.url === '/open') response.addTrailers({ 'X-Sum': '2' });
    response.end();
  });
}

const ANSWER = JSON.stringify({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test', stop_reason: 'tool_use' },
  content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'that' } }],
  usage: { input_tokens: 3, output_tokens: 2 },
});
const ASK = JSON.stringify({
  ...{ model: 'claude-test', max_tokens: 9 },
  messages: [{ role: 'user', content: `the key is ${SECRET}, write to jane.roe@example.org` }],
});

function upgrade(response: ServerResponse): void {
  const socket = response.socket;
  if (socket === null) return;
  response.detachSocket(socket);
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
  );
  // A text, and a close without a reason.
  socket.write(Buffer.from([0x81, 2, 0x68, 0x69, 0x88, 0]));
  setTimeout(() => socket.end(), 200);
}

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin(LISTED, serve, [PASSED]);
  writeFileSync(join(home.dir, 'ask.json'), ASK);
  writeFileSync(join(home.dir, 'other.pem'), createTestAuthority('other').ca);
  const git = (...args: string[]) => execa('git', args, { cwd: home.dir, env: home.env, extendEnv: false });
  await git('init', '-q', '-b', 'main');
  await git(
    '-c',
    'user.name=n',
    '-c',
    'user.email=e@example.org',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'm',
  );
  const running = home.gate([
    ...['run', ...origin.runOptions, '--allow', LISTED, '--passthrough', PASSED],
    ...['--', process.execPath, '-e', PROGRAM],
  ]);
  const ready = join(home.dir, 'ready');
  const seen = () => home.ledger().some(({ type }) => type === 'list.reload');
  await until(() => readable(ready), running);
  await home.gate(['allow', 'other.test']);
  await until(seen, running);
  writeFileSync(join(home.dir, 'go'), '');
  const { exitCode, stderr } = await running;
  expect(exitCode, stderr).toBe(0);
  records = home.ledger();
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

function readable(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Waits while the run goes on; its end without the condition ends the wait too. */
async function until(isSo: () => boolean, running: Promise<unknown>): Promise<void> {
  let isOver = false;
  void running.then(() => {
    isOver = true;
  });
  while (!isOver && !isSo()) await new Promise((resolve) => setTimeout(resolve, 50));
}

interface Row {
  readonly type: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The rows of the table of types. */
function documented(): Row[] {
  const page = readFileSync('docs/data-format.md', 'utf8');
  const section = page.slice(page.indexOf('### Types'), page.indexOf('### Bodies'));
  return [...section.matchAll(/^\| `([\w.]+)` \|[^|]*\| ([^|]+) \|$/gm)].map(([, type = '', cell = '']) => {
    const fields = cell.trim().split(/, /);
    return {
      type,
      required: fields.filter((field) => !field.endsWith('?')),
      optional: fields.filter((field) => field.endsWith('?')).map((field) => field.slice(0, -1)),
    };
  });
}

// promise: ledger.types
describe('every type of record', () => {
  test('is in the documented table, and in the ledger of this run', () => {
    const types = documented().map(({ type }) => type);
    expect(types).toHaveLength(LedgerRecord.options.length);
    expect(types.toSorted()).toEqual([...new Set(records.map(({ type }) => type))].toSorted());
  });

  test.each(documented().map((row) => [row.type, row] as const))(
    '%s has its documented fields',
    (type, row) => {
      const found = records.filter((each) => each.type === type);
      expect(found.length).toBeGreaterThan(0);
      for (const each of found) {
        const fields = Object.keys(each);
        expect(fields.slice(0, ENVELOPE.length)).toEqual(ENVELOPE);
        expect(fields).toEqual(expect.arrayContaining([...row.required]));
        expect([...ENVELOPE, ...row.required, ...row.optional]).toEqual(expect.arrayContaining(fields));
        const { error, data } = LedgerRecord.safeParse(each);
        expect(error).toBeUndefined();
        expect(data?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      }
      const missing = row.optional.filter((field) => !found.some((each) => field in each));
      expect(missing.filter((field) => !ELSEWHERE.has(`${type}.${field}`))).toEqual([]);
    },
  );

  test('belongs to an exchange or a tunnel by its id, which is the run and the seq of its first record', () => {
    const run = String(records[0]?.['run']);
    const firsts = records.filter(({ type }) => type === 'request' || type === 'tunnel.open');
    for (const { seq, id } of firsts) expect(id).toBe(`${run}:${seq}`);
    const known = new Set(firsts.map(({ id }) => id));
    for (const each of records) if ('id' in each) expect(known).toContain(each['id']);
  });
});
