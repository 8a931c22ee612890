import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';
import { type Started, startScript, within } from '../helpers/shell.ts';

/** What becomes of a run whose disk fails it: nothing goes on unrecorded, and what was acknowledged is there. */
let home: TestHome;
let origin: HttpsOrigin;
let urls: string[];
beforeEach(async () => {
  home = testHome();
  urls = [];
  origin = await startHttpsOrigin('origin.test', (request, response) => {
    urls.push(request.url ?? '');
    request.resume();
    request.on('end', () => response.end('an answer'));
  });
});
afterEach(async () => {
  await origin.stop();
  home.remove();
});

const data = (): string => home.at('data');
const isRoot = process.getuid?.() === 0;

/** One request before the disk breaks and two after it, in the jail; each too long for what is left of a page. */
const CLIENT = `
ask() { curl -s -o /dev/null -w '%{http_code} %header{x-gate-block}\\n' -d "$1 $(head -c 6000 /dev/urandom | base64 -w 0)" https://origin.test/$1; }
ask 1; : > ready
until [ -e broken ]; do sleep 0.05; done
ask 2; ask 3`;

function startClient(before = '', env: Readonly<Record<string, string>> = {}, after = ''): Started {
  writeFileSync(join(home.dir, 'client.sh'), CLIENT);
  const options = origin.runOptions.join(' ');
  const script = `${before}'${process.execPath}' '${GATE}' run ${options} -- sh client.sh; code=$?; ${after} exit $code`;
  return startScript(home, script, { env });
}

/** Breaks the disk between the first request and the second, and sees how the run ends. */
async function breaks(started: Started, breakDisk: () => void): Promise<void> {
  expect(await within(30_000, () => existsSync(join(home.dir, 'ready'))), started.stderr()).toBe(true);
  breakDisk();
  writeFileSync(join(home.dir, 'broken'), '');
  const { code, stdout, stderr } = await started.ended;
  expect(stdout.toString()).toBe('200 \n503 audit_unavailable\n503 audit_unavailable\n');
  expect(urls).toEqual(['/1']);
  expect(stderr.match(/^gate: the audit trail cannot be written: .+\n {2}\S.+$/gm), stderr).toHaveLength(1);
  expect(code).toBe(125);
}

/** The kinds of findings that are more than notes. */
async function serious(): Promise<string[]> {
  const { stdout } = await home.gate(['verify', '--json']);
  const { runs, findings } = JSON.parse(stdout) as {
    runs: { findings: { level: string; kind: string }[] }[];
    findings: { level: string; kind: string }[];
  };
  const all = [...runs.flatMap((run) => run.findings), ...findings];
  return all.filter(({ level }) => level === 'error').map(({ kind }) => kind);
}

function expectFirstExchange(): void {
  const lines = readFileSync(join(data(), 'runs', home.runs()[0] ?? '', 'ledger.jsonl'), 'utf8').split('\n');
  const types = lines.slice(0, -1).map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(expect.arrayContaining(['run.start', 'request', 'response', 'end']));
}

function shim(): string {
  const out = join(home.dir, 'bad-disk.so');
  const args = ['-shared', '-fPIC', '-O1', '-o', out, resolve('test/helpers/bad-disk.c'), '-ldl'];
  execFileSync('cc', args, { stdio: 'pipe' });
  return out;
}

// promise: ledger.503, exit.125
test('a flush that fails: nothing more is forwarded, and what was acknowledged is there', async ({
  skip,
}) => {
  skip(findProgram('cc') === undefined, 'no C compiler here');
  const fail = join(home.dir, 'fail');
  const started = startClient('', { LD_PRELOAD: shim(), BAD_DISK_FAIL: fail });
  await breaks(started, () => writeFileSync(fail, ''));
  expect(await serious()).toEqual([]);
  expectFirstExchange();
});

// promise: ledger.503
test('a run folder that is removed: nothing more is forwarded, and verify says that it is gone', async () => {
  await breaks(startClient(), () => rmSync(join(data(), 'runs', home.runs()[0] ?? ''), { recursive: true }));
  expect(await serious()).toEqual(['missing_run']);
});

// promise: ledger.503
test('a disk that is full: nothing more is forwarded, and what was acknowledged is there', async ({
  skip,
}) => {
  skip(!isRoot || process.platform !== 'linux', 'a small tmpfs of its own needs root on Linux');
  mkdirSync(data(), { recursive: true });
  const mount = `mount -t tmpfs -o size=1m,mode=700 tmpfs '${data()}'`;
  const out = join(home.dir, 'out');
  const started = startClient(
    `unshare -m --propagation private sh -c "${mount}; : > mounted; sleep 60 & echo \\$! > keeper; wait" & until [ -s keeper ]; do sleep 0.05; done; keeper=$(cat keeper); nsenter --wd=$PWD -m -t $keeper `,
    {},
    `cp -r /proc/$keeper/root${data()} ${out}; kill $keeper;`,
  );
  await breaks(started, () => {
    const keeper = readFileSync(join(home.dir, 'keeper'), 'utf8').trim();
    const filler = `/proc/${keeper}/root${data()}/filler`;
    expect(() => writeFileSync(filler, Buffer.alloc(2 * 1024 * 1024))).toThrow('ENOSPC');
  });
  rmSync(data(), { recursive: true });
  execFileSync('cp', ['-r', out, data()]);
  expect(await serious()).toEqual([]);
  expectFirstExchange();
});

// promise: exit.125
test('a data folder that cannot be written starts no command', async ({ skip }) => {
  skip(!isRoot || process.platform !== 'linux', 'a read-only mount of its own needs root on Linux');
  mkdirSync(data(), { recursive: true });
  const mount = `mount -t tmpfs -o ro tmpfs '${data()}'`;
  const run = `'${process.execPath}' '${GATE}' run -- touch started`;
  const { code, stderr } = await startScript(
    home,
    `unshare -m --propagation private sh -c "${mount} && exec ${run}"`,
  ).ended;
  expect(stderr).toMatch(/^gate: .*read-only file system.*\n {2}\S/i);
  expect(code).toBe(125);
  expect(existsSync(join(home.dir, 'started'))).toBe(false);
});

const FLUSH_MS = 700;
/** Says when it sent its request, and when it had the answer's last byte, in milliseconds. */
const TIMED = `
import http.client, json, ssl, time
connection = http.client.HTTPSConnection('flush.test', context=ssl.create_default_context())
connection.connect()
sent = time.time() * 1000
connection.request('POST', '/', 'to be flushed')
body = connection.getresponse().read()
print(json.dumps({'sent': sent, 'last': time.time() * 1000, 'body': body.decode()}))`;

// promise: ledger.flush-head, ledger.flush-end
test('a request waits for its flush before the origin has it, and the last byte for that of the end', async ({
  skip,
}) => {
  skip(findProgram('cc') === undefined, 'no C compiler here');
  let [arrived, finished] = [0, 0];
  const flushing = await startHttpsOrigin('flush.test', (request, response) => {
    arrived = Date.now();
    request.resume();
    response.writeHead(200, { 'content-length': '8' });
    response.write('answ');
    request.on('end', () => {
      finished = Date.now();
      response.end('ered');
    });
  });
  writeFileSync(join(home.dir, 'timed.py'), TIMED);
  const run = `exec '${process.execPath}' '${GATE}' run -q ${flushing.runOptions.join(' ')} -- python3 timed.py`;
  const slow = { LD_PRELOAD: shim(), BAD_DISK_FLUSH_US: String(FLUSH_MS * 1000) };
  const { stdout, stderr } = await startScript(home, run, { env: slow }).ended;
  await flushing.stop();
  expect(stderr).toBe('');
  const { sent, last, body } = JSON.parse(stdout.toString()) as { sent: number; last: number; body: string };
  expect(body).toBe('answered');
  // The clock of the origin counts whole milliseconds.
  expect(arrived - sent).toBeGreaterThan(FLUSH_MS - 2);
  expect(last - finished).toBeGreaterThan(FLUSH_MS - 2);
});

const STREAMS = 64;
const STREAM_BYTES = 4 * 1024 * 1024;

// promise: ledger.write-first, ledger.flush-end
test('64 streams over a slow disk: the streams wait, nothing is lost, and memory does not grow', {
  timeout: 200_000,
}, async ({ skip }) => {
  skip(findProgram('cc') === undefined, 'no C compiler here');
  const noise = Buffer.alloc(64 * 1024, 'no two pieces of this are alike: ');
  const streaming = await startHttpsOrigin('streams.test', (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    let left = STREAM_BYTES;
    const more = (): void => {
      for (; left > 0; left -= noise.length) {
        noise.writeUInt32LE(left, 16);
        if (!response.write(Buffer.from(noise))) {
          left -= noise.length;
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const client = `for i in $(seq ${STREAMS}); do curl -s -o /dev/null -w '%{size_download}\\n' https://streams.test/$i & done; wait`;
  writeFileSync(join(home.dir, 'client.sh'), client);
  const run = `exec '${process.execPath}' '${GATE}' run -q ${streaming.runOptions.join(' ')} -- sh client.sh`;
  const slow = { BAD_DISK_WRITE_US: '8000', BAD_DISK_FLUSH_US: '500000' };
  const startedMs = Date.now();
  const started = startScript(home, run, { env: { LD_PRELOAD: shim(), ...slow }, timeout: 170_000 });
  let peakKb = 0;
  let streamingKb = 0;
  const hasEnded = (): boolean => {
    const runs = join(data(), 'runs');
    const ledgers = existsSync(runs) ? home.runs().map((id) => join(runs, id, 'ledger.jsonl')) : [];
    return ledgers.some((file) => existsSync(file) && readFileSync(file, 'utf8').includes('"type":"end"'));
  };
  await within(180_000, () => {
    const status = existsSync(`/proc/${started.pid}/status`)
      ? readFileSync(`/proc/${started.pid}/status`, 'utf8')
      : '';
    peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    // They go side by side: when the first has ended, nearly all has passed. From then on there is analysis, too.
    if (!hasEnded()) streamingKb = peakKb;
    return started.child.exitCode !== null;
  });
  const { code, stdout, stderr } = await started.ended;
  const seconds = (Date.now() - startedMs) / 1000;
  await streaming.stop();
  expect(stderr).toBe('');
  expect(stdout.toString()).toBe(`${STREAM_BYTES}\n`.repeat(STREAMS));
  expect(code).toBe(0);
  process.stderr.write(
    `${(STREAMS * STREAM_BYTES) / 2 ** 20} MB through a slow disk in ${seconds} s, peak ${streamingKb} kB, ${peakKb} kB with the analysis\n`,
  );
  // All of it held in memory would be 256 MB on top of what an idle gate needs, which is 70.
  expect(streamingKb).toBeGreaterThan(50 * 1024);
  expect(streamingKb).toBeLessThan(300 * 1024);
  expect(peakKb).toBeLessThan(340 * 1024);
  expect(await serious()).toEqual([]);
  const ends = home.ledger().filter(({ type }) => type === 'end');
  expect(ends.map((end) => end['outcome'])).toEqual(Array(STREAMS).fill('complete'));
  for (const end of ends) expect((end['responseBody'] as { bytes: number }).bytes).toBe(STREAM_BYTES);
  // Each has waited for the slow flush of its head.
  expect(Math.min(...ends.map((end) => (end['timing'] as { totalMs: number }).totalMs))).toBeGreaterThan(500);
});
