import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { readJson } from '../helpers/reading.ts';
import { startGate } from '../helpers/shell.ts';

/** What the reading commands say of real runs. */
let home: TestHome;
let origin: HttpsOrigin;
const key = `sk-ant-api03-${'AbCdEfGh1jKlMn0p'.repeat(6)}AA`;
const curl = (rest: string) => `curl -sS -o /dev/null --max-time 20 ${rest} || true`;
const run = (...script: string[]) =>
  home.gate(['run', ...origin.runOptions, '--deny', 'denied.test', '--', 'sh', '-c', script.join('\n')]);
const idOf = (path: string) => {
  const request = home.ledger().find((each) => each.type === 'request' && String(each['url']).endsWith(path));
  return String(request?.['id']);
};

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => {
    const { url } = request;
    if (url === '/binary') response.end(Buffer.from([0x89, 0, 1, 2, 0x1b, 0x5b, 0x48]));
    else if (url === '/gzip') {
      response.setHeader('content-type', 'application/json').setHeader('content-encoding', 'gzip');
      response.end(gzipSync(JSON.stringify({ packed: 'Füchse', key, escape: '\u001b[2J' })));
    } else response.end('done\n');
  });
}

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test', serve, ['second.test']);
  writeFileSync(join(home.dir, 'key.json'), JSON.stringify({ note: `the quick key is ${key}, take care` }));
  await run(
    curl('https://origin.test/plain'),
    curl(`-H "content-type: application/json" -d @${home.dir}/key.json https://origin.test/leak`),
    curl('https://second.test/gzip'),
    curl('https://origin.test/binary'),
    curl('https://denied.test/never'),
  );
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

// promise: read.events, cmd.json, cmd.times
describe('gate events', () => {
  test('lists what a filter finds, oldest first, with documented fields', async () => {
    const all = await readJson(home, 'events');
    expect(all.map(({ url }) => url)).toEqual([
      'https://origin.test/plain',
      'https://origin.test/leak',
      'https://second.test/gzip',
      'https://origin.test/binary',
      'https://denied.test/never',
    ]);
    expect(all[1]).toMatchObject({
      id: idOf('/leak'),
      kind: 'exchange',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      via: 'proxy',
      method: 'POST',
      status: 200,
      outcome: 'complete',
      decision: { verdict: 'forward', reason: 'unlisted' },
      analysed: true,
      secrets: [{ kind: 'anthropic_api_key', where: 'request.body', count: 1 }],
    });
    const urls = async (...filter: string[]) =>
      (await readJson(home, 'events', ...filter)).map(({ url }) => new URL(String(url)).pathname);
    expect(await urls('is:blocked')).toEqual(['/never']);
    expect(await urls('flag:secret_in_request')).toEqual(['/leak']);
    expect(await urls('-host:origin', 'run:last')).toEqual(['/gzip', '/never']);
    expect(await urls('--limit', '1', 'is:exchange')).toEqual(['/never']);
    expect(await urls('body:quick')).toEqual(['/leak']);
    expect(await urls('status:404')).toEqual([]);
  });

  test('prints a table for people, and says what is wrong with a filter', async () => {
    const { stdout } = await home.gate(['events', 'host:*.test']);
    expect(stdout.split('\n')[0]).toMatch(/^ID +TIME +METHOD +RESULT +URL/);
    expect(stdout).toMatch(/:\d+ .* 403 denylisted +https:\/\/denied\.test\/never/);
    expect(await home.gate(['events', 'flag:hgih'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^gate: .*\n {4}flag:hgih\n {9}\^{4}\n {2}Did you mean high\?/),
    });
    expect(await home.gate(['events', 'run:ZZZZZZ'])).toMatchObject({ exitCode: 1 });
    expect(await home.gate(['events', 'status:404'])).toMatchObject({ exitCode: 0, stdout: '' });
  });
});

// promise: read.show
describe('gate show', () => {
  test('decodes and masks, and shows no control character', async () => {
    const leak = await home.gate(['show', `last:${idOf('/leak').split(':')[1]}`]);
    expect(leak.stdout).toContain('the quick key is sk-ant-…0pAA (111), take care');
    expect(leak.stdout).toContain('flag      high secret_in_request');
    const packed = await home.gate(['show', idOf('/gzip')]);
    expect(packed.stdout).toContain('"packed": "Füchse"');
    expect(packed.stdout).toMatch(/"key": "sk-ant-…/);
    expect(packed.stdout).toContain('\\u001b[2J');
    const json = await readJson(home, 'show', idOf('/gzip'));
    expect(json[0]).toMatchObject({ id: idOf('/gzip'), response: { body: { encoding: 'gzip' } } });
    const all = leak.stdout + packed.stdout + JSON.stringify(json);
    expect(all).not.toContain(key.slice(13, 40));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
    expect(all).not.toMatch(/[\u0000-\u0008\u001b]/);
    const binary = await home.gate(['show', idOf('/binary')]);
    expect(binary.stdout).toMatch(
      /7 B of no type, no text; sha256 [0-9a-f]{64}; gate show .* --raw response/,
    );
  });

  test('an unknown id is 1 and a wrong one 2, each with the next step', async () => {
    const [run] = idOf('/leak').split(':');
    expect(await home.gate(['show', `${run}:9999`])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^gate: no exchange \w{6}:9999\n {2}gate events run:\w{6}\n$/),
    });
    expect(await home.gate(['show', 'nonsense'])).toMatchObject({ exitCode: 2 });
    expect(await home.gate(['show', 'ZZZZZZ:1'])).toMatchObject({ exitCode: 1 });
  });

  test('--raw gives the stored bytes, and is recorded first or not done', async () => {
    const raw = await home.gate(['show', idOf('/leak'), '--raw', 'request']);
    expect(raw.stdout).toBe(readFileSync(join(home.dir, 'key.json'), 'utf8'));
    const actions = home.at('data/actions.jsonl');
    expect(home.actions().at(-1)).toMatchObject({
      type: 'raw_peek',
      exchange: idOf('/leak'),
      side: 'request',
    });
    expect(await home.gate(['verify'])).toMatchObject({ exitCode: 0 });
    const short = idOf('/plain').slice(20);
    expect(await home.gate(['show', idOf('/plain'), '--raw', 'request'])).toMatchObject({
      exitCode: 1,
      stderr: `gate: ${short} has no body 'request'\n  gate show ${short}\n`,
    });
    expect(await home.gate(['show', idOf('/leak'), '--raw', 'both'])).toMatchObject({ exitCode: 2 });
    const kept = readFileSync(actions);
    rmSync(actions);
    // Nobody can append to a folder.
    mkdirSync(actions);
    const refused = await home.gate(['show', idOf('/leak'), '--raw', 'request']);
    rmSync(actions, { recursive: true });
    writeFileSync(actions, kept, { mode: 0o600 });
    expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
    expect(refused.stderr).toContain('not shown, since it cannot be recorded');
  });
});

// promise: dismiss
describe('gate dismiss', () => {
  const file = () => home.at('config/dismissals.json');

  test('silences a flag with a reason, and back; both are recorded', async () => {
    const flagged = async (...filter: string[]) =>
      (await readJson(home, 'events', ...filter)).map(({ url }) => new URL(String(url)).pathname);
    expect(await home.gate(['dismiss', idOf('/leak')])).toMatchObject({ exitCode: 2 });
    const args = ['dismiss', idOf('/leak'), '--code', 'secret_in_request'];
    expect(await home.gate([...args, '--reason', 'a test key'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^gate: dismissed: secret_in_request of [0-9A-Z]{6}:\d+\n$/),
    });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(await flagged('flag:secret_in_request')).toEqual([]);
    expect(await flagged('flag:secret_in_request', 'is:dismissed')).toEqual(['/leak']);
    expect(await flagged('flag:host_not_allowlisted', 'host:second')).toEqual(['/gzip']);
    const host = ['--host', 'SECOND.test', '--code', 'host_not_allowlisted'];
    expect(await home.gate(['dismiss', ...host, '--reason', 'known'])).toMatchObject({ exitCode: 0 });
    expect(await flagged('flag:any', 'host:second')).toEqual([]);
    expect(await home.gate(['dismiss', '--undo', ...host])).toMatchObject({ exitCode: 0 });
    expect(await home.gate(['dismiss', '--undo', ...host])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no dismissal of host_not_allowlisted of second.test'),
    });
    expect(await home.gate([...args, '--undo'])).toMatchObject({ exitCode: 0 });
    expect(await flagged('flag:secret_in_request')).toEqual(['/leak']);
    const dismissals = home.actions().filter(({ type }) => type.startsWith('dismiss'));
    const types = ['dismiss', 'dismiss', 'dismiss.undo', 'dismiss.undo'];
    expect(dismissals.map(({ type }) => type)).toEqual(types);
  });

  test('is refused in the jail, and for what has no such flag', async () => {
    const inside = await home.gate(['dismiss', idOf('/leak'), '--reason', 'x'], { env: { GATE_RUN: 'X' } });
    expect(inside).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('inside gate run') });
    expect(
      await home.gate(['dismiss', idOf('/plain'), '--code', 'parse_error', '--reason', 'x']),
    ).toMatchObject({
      exitCode: 1,
    });
    expect((await home.gate(['dismiss', '--host', 'a.test', '--code', 'parse_eror'])).stderr).toContain(
      'Did you mean parse_error?',
    );
  });

  test('a bad line of the file is named', async () => {
    const good = readFileSync(file(), 'utf8');
    writeFileSync(file(), '{\n "version": 1,\n "dismissals": [\n  {"host": "a.test"}\n ]\n}\n');
    const bad = await home.gate(['events']);
    writeFileSync(file(), good);
    expect(bad.exitCode).toBe(125);
    expect(bad.stderr).toContain('dismissals.json:4: ');
  });
});

// promise: read.search
test('gate search finds words wherever they were sent, newest first, and shows no secret', async () => {
  const [hit, ...others] = await readJson(home, 'search', 'QUICK');
  expect(others).toEqual([]);
  expect(hit).toMatchObject({ url: 'https://origin.test/leak', snippet: { in: 'text' } });
  const snippet = hit?.['snippet'] as { text: string; start: number; end: number } | undefined;
  const text = snippet?.text ?? '';
  expect(text.slice(snippet?.start, snippet?.end)).toBe('quick');
  expect(text).toContain('key is sk-ant-…0pAA (111), take care');
  const urls = async (...args: string[]) => (await readJson(home, 'search', ...args)).map(({ url }) => url);
  expect(await urls('fuchse')).toEqual(['https://second.test/gzip']);
  expect(await urls('"quick key" care')).toEqual(['https://origin.test/leak']);
  expect(await urls('"key quick"')).toEqual([]);
  expect(await urls('origin', '-is:flagged')).toEqual([]);
  expect(await urls('test', '--limit', '2')).toEqual([
    'https://denied.test/never',
    'https://origin.test/binary',
  ]);
  // A part of the key's middle is a word of the index; what is shown of it is its mask.
  const screen = await home.gate(['search', key.split('-').at(-1) ?? '']);
  expect(screen.stdout).toContain('/leak');
  expect(screen.stdout).not.toContain(key.slice(13, 40));
  for (const odd of ['" OR 1', 'NEAR(a b)', '{text}: x', "'; x--", 'a*b*']) {
    expect(await home.gate(['search', odd])).toMatchObject({ exitCode: 0 });
  }
  expect(await home.gate(['search', '"!?"'])).toMatchObject({ exitCode: 2 });
});

// promise: read.stats
test('gate stats counts by host, and what is not known stays so', async () => {
  const [stats] = await readJson(home, 'stats');
  const { total, groups } = stats as unknown as {
    total: Record<string, unknown>;
    groups: (Record<string, unknown> & { key: string })[];
  };
  expect(total).toMatchObject({
    exchanges: 5,
    blocked: 1,
    tunnels: 0,
    withSecrets: 2,
    costUsd: null,
    llm: 0,
  });
  expect(groups.map(({ key: host, exchanges }) => [host, exchanges])).toEqual([
    ['origin.test', 3],
    ['denied.test', 1],
    ['second.test', 1],
  ]);
  expect(total['p95Ms']).toBeGreaterThan(0);
  const [flags] = await readJson(home, 'stats', '--by', 'flag');
  expect((flags as unknown as { groups: { key: string; flags: number }[] }).groups).toEqual([
    expect.objectContaining({ key: 'host_not_allowlisted', exchanges: 5, flags: 3 }),
    expect.objectContaining({ key: 'secret_in_request', exchanges: 1, flags: 1 }),
  ]);
  expect((await home.gate(['stats', 'is:blocked'])).stdout).toMatch(/^HOST +EXCHANGES/);
});

// promise: read.tail
test('gate tail follows runs that begin and end, and ends on Ctrl-C with 0', async () => {
  const tail = startGate(home, ['tail']);
  const json = startGate(home, ['tail', '--json', 'flag:secret_in_request']);
  for (const each of [tail, json]) await each.tells(/Ctrl-C/);
  await run(curl('https://origin.test/followed'));
  await tail.says(/GET +200 +https:\/\/origin\.test\/followed/);
  await Promise.all(
    ['one', 'two'].map((name) => run(curl(`-d @${home.dir}/key.json https://origin.test/${name}`))),
  );
  await tail.says(/origin\.test\/one[\s\S]*secret_in_request/);
  await json.says(/origin\.test\/one/);
  await json.says(/origin\.test\/two/);
  expect(tail.stdout()).not.toContain('/plain');
  expect(json.stdout()).not.toContain('/followed');
  for (const each of [tail, json]) {
    each.child.kill('SIGINT');
    expect(await each.ended).toMatchObject({ code: 0, signal: null });
  }
});

// promise: reindex
test('every answer is the same when the index is made anew, and readers do not mind', async () => {
  const ids = (await readJson(home, 'events')).map(({ id }) => id);
  const answers = async () => {
    const asked = [['events'], ['stats'], ['stats', '--by', 'flag'], ['search', 'test', '--limit', 'all']];
    const shown = ids.slice(0, 5).map((id) => ['show', id]);
    const all = [];
    for (const args of [...asked, ...shown]) all.push((await home.gate([...args, '--json'])).stdout);
    return all;
  };
  const before = await answers();
  expect(before.every((text) => text !== '')).toBe(true);
  const data = home.at('data');
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(data, `index.sqlite${suffix}`), { force: true });
  expect(await home.gate(['reindex'])).toMatchObject({ exitCode: 0 });
  expect(await answers()).toEqual(before);
  const together = await Promise.all([
    run(curl('https://origin.test/a'), curl('https://origin.test/b')),
    run(curl('https://origin.test/c')),
    home.gate(['events']),
    home.gate(['reindex']),
    home.gate(['stats']),
  ]);
  expect(together.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
  expect(await readJson(home, 'events')).toHaveLength(ids.length + 3);
});
