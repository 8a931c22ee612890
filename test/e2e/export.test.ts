import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Har } from '../helpers/har.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';

interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

let home: TestHome;
let origin: HttpsOrigin;
let arrived: Arrived[] = [];
const TOKEN = `opaque-${'x'.repeat(30)}-1234`;
const TEXT = 'the answer, in words that compress: words words words words words words words\n'.repeat(4);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const { method = '', url = '', rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []));
  arrived.push({ method, url, headers: headers.sort(), body: Buffer.concat(pieces).toString('hex') });
  if (url === '/gzip') {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }).end(gzipSync(TEXT));
  } else if (url === '/image') {
    response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([0x89, 0x50, 0, 0xff]));
  } else response.writeHead(200, { 'set-cookie': `sid=${TOKEN}; Path=/; HttpOnly` }).end('done\n');
}

const curl = (rest: string) => `curl -sS -o /dev/null --max-time 20 --http1.1 ${rest}`;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('listed.test', (request, response) => void serve(request, response));
  const file = (name: string, content: Buffer | string) => {
    writeFileSync(join(home.dir, name), content);
    return join(home.dir, name);
  };
  const binary = file('binary', Buffer.from([0x40, 0, 1, 0xff, 0x0d, 0x0a, 0x27]));
  const large = file('large', 'line of a long body\n'.repeat(8000));
  const tricky = file('tricky', `@not-a-file 'quoted' "$HOME" \`id\` \\ é\r\nlast`);
  const script = [
    curl(
      `-H "authorization: Bearer ${TOKEN}" -H "cookie: a=${TOKEN}; b=${TOKEN}x" https://listed.test/secret`,
    ),
    curl(`"https://listed.test/q?key=${TOKEN}&x=%20y&z=[1]" -g`),
    curl(
      `-H "X-Empty;" -H "X-Odd: it's \\$HOME" -H "User-Agent:" -H "Accept:" https://listed.test/a/../odd --path-as-is`,
    ),
    curl(`-H "content-type: text/plain" --data-binary @${tricky} https://listed.test/tricky`),
    curl(`-H "Content-Type:" -X PUT --data-binary @${binary} https://listed.test/binary`),
    curl(`--data-binary @${large} -H "Expect:" https://listed.test/large`),
    curl('-I https://listed.test/head'),
    curl('-X DELETE https://listed.test/delete'),
    curl('https://listed.test/gzip'),
    curl('https://listed.test/image'),
    curl('https://denied.test/never'),
  ].join('\n');
  await home.gate([
    'run',
    ...origin.runOptions,
    '--allow',
    'listed.test',
    '--deny',
    'denied.test',
    '--',
    'sh',
    '-c',
    script,
  ]);
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

// promise: export
test('HAR 1.2, with decoded bodies and no credential', async () => {
  const { exitCode, stdout, stderr } = await home.gate(['export', 'run:last', '--format', 'har']);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^gate: 11 exchanges exported\ngate: bodies are as they were sent: secrets/);
  expect(stdout).not.toContain(TOKEN.slice(0, -4));
  const { log } = Har.parse(JSON.parse(stdout));
  const entry = (path: string) => log.entries.find(({ request }) => request.url.endsWith(path));
  expect(log.entries).toHaveLength(11);
  expect(log.comment).toMatch(/\$AUTHORIZATION: authorization of listed\.test/);
  expect(entry('/gzip')?.response.content).toMatchObject({
    text: TEXT,
    size: TEXT.length,
    mimeType: 'text/plain',
  });
  expect(entry('/image')?.response.content).toMatchObject({ text: 'iVAA/w==', encoding: 'base64', size: 4 });
  expect(entry('/binary')?.request.postData).toMatchObject({ text: 'QAAB/w0KJw==', _encoding: 'base64' });
  expect(entry('/secret')?.request.headers).toContainEqual({
    name: 'authorization',
    value: 'Bearer $AUTHORIZATION',
  });
  expect(entry('/secret')?.request.cookies).toEqual([
    { name: 'a', value: '$COOKIE_A' },
    { name: 'b', value: '$COOKIE_B' },
  ]);
  expect(entry('/secret')?.response.cookies).toMatchObject([
    { name: 'sid', path: '/', httpOnly: true, secure: false },
  ]);
  expect(log.entries[1]?.request.queryString).toContainEqual({ name: 'key', value: '$KEY' });
  expect(entry('/never')).toMatchObject({ comment: 'denied: denylisted' });
});

// promise: export, cmd.json
test('JSON lines: one exchange each, with what gate knows of it', async () => {
  const { stdout } = await home.gate(['export', 'run:last', '--format', 'jsonl']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(11);
  expect(stdout).not.toContain(TOKEN.slice(0, -4));
  expect(lines[8]).toMatchObject({
    kind: 'exchange',
    response: { status: 200, body: { text: TEXT, encoding: 'gzip' } },
  });
  expect(lines[4].request.body).toMatchObject({ bytes: 7, base64: 'QAAB/w0KJw==' });
  const filter = ['status:200', '"https://listed.test/image"'];
  const { stdout: listed } = await home.gate(['events', ...filter, '--json']);
  const { stdout: filtered } = await home.gate(['export', ...filter, '--format', 'jsonl']);
  expect(JSON.parse(filtered)).toMatchObject(JSON.parse(listed));
});

// promise: export
test('the commands send the same requests again, byte for byte', async () => {
  const first = arrived;
  expect(first).toHaveLength(10);
  const { stdout } = await home.gate(['export', 'run:last', '--format', 'curl']);
  expect(stdout).not.toContain(TOKEN.slice(0, -4));
  expect(stdout).toMatch(
    /^#!\/bin\/sh\n# Made by gate[^\n]*\n# Credentials[^\n]*\n# {3}AUTHORIZATION: authorization of listed/,
  );
  expect(stdout).toMatch(/# \w{6}:\d+ {2}\S+ {2}left out: denied \(denylisted\)/);
  const script = join(home.dir, 'again.sh');
  const caFile = origin.runOptions.at(-1);
  writeFileSync(script, stdout);
  writeFileSync(
    join(home.dir, '.curlrc'),
    `cacert = "${caFile}"\nconnect-to = "listed.test:443:127.0.0.1:${origin.port}"\nsilent\noutput = "/dev/null"\n`,
  );
  arrived = [];
  const variables = { AUTHORIZATION: TOKEN, COOKIE_A: TOKEN, COOKIE_B: `${TOKEN}x`, KEY: TOKEN };
  const again = await execa('sh', [script], {
    env: { PATH: home.env['PATH'] ?? '', HOME: home.dir, ...variables },
    extendEnv: false,
    reject: false,
  });
  expect(again.stderr).toBe('');
  expect(arrived).toEqual(first);
});

test('a file is private, whole or not there, and what left is on record', async () => {
  const out = join(home.dir, 'traffic.har');
  writeFileSync(out, 'old', { mode: 0o644 });
  const { exitCode, stdout } = await home.gate(['export', '--format', 'har', '--out', 'traffic.har', '-q']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(Har.safeParse(JSON.parse(readFileSync(out, 'utf8'))).error).toBeUndefined();
  expect(home.actions().at(-1)).toMatchObject({
    type: 'export',
    format: 'har',
    filter: '',
    exchanges: 11,
    out,
  });
  expect(await home.gate(['verify'])).toMatchObject({ exitCode: 0 });
  const nowhere = await home.gate(['export', '--format', 'har', '--out', 'none/x']);
  expect(nowhere).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^gate: cannot write .*\n {2}give another --out/),
  });
});

test('nothing that matches is an empty archive; wrong usage says what is right', async () => {
  const none = await home.gate(['export', 'host:nobody.test', '--format', 'har']);
  expect(Har.parse(JSON.parse(none.stdout)).log.entries).toEqual([]);
  expect(none.exitCode).toBe(0);
  expect(await home.gate(['export'])).toMatchObject({ exitCode: 2 });
  expect(await home.gate(['export', '--format', 'pcap'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('har, jsonl, curl'),
  });
});
