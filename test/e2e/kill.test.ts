import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Body } from '../../src/core/body.ts';
import { gatePaths } from '../../src/core/paths.ts';
import { openPackReader } from '../../src/store/pack-reader.ts';
import { findRun } from '../../src/store/runs.ts';
import { verifyRun } from '../../src/store/verify.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type AnyRecord, type TestHome, testHome } from '../helpers/product.ts';
import { runScript, type Started, startGate, within } from '../helpers/shell.ts';

/** gate is killed in the middle of its work, again and again; whatever a client was told must be on record. */
const ROUNDS = Number(process.env['GATE_KILL_ROUNDS'] ?? '20');

let home: TestHome;
let origin: HttpsOrigin;
/** What a failed round may have left at work. */
let latest: Started | undefined;
/** Killed runs that have been looked at after the next one had begun. */
const checked = new Set<string>();
beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test', answer);
  writeFileSync(join(home.dir, 'client.py'), CLIENT);
});
afterAll(async () => {
  latest?.child.kill('SIGKILL');
  await origin.stop();
  home.remove();
});

/** Text that anyone can make again from the id: up to 40 kB, most of it short. */
function filler(id: string, seed: string): Buffer {
  const hash = createHash('sha256').update(`${seed} ${id}`).digest();
  const size = hash[0] === 0 ? 40_000 : hash.readUInt16BE(1) % 3000;
  return Buffer.from(`${id} `.repeat(Math.ceil(size / (id.length + 1)) + 1));
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => {
    const id = (request.url ?? '').slice(1);
    const body = filler(id, 'answer');
    response.writeHead(200, { 'content-type': 'text/plain', 'x-id': id });
    // In two writes, so that some kills fall between them.
    response.write(body.subarray(0, 100));
    setImmediate(() => response.end(body.subarray(100)));
  });
}

/**
 * Six threads with a connection each. An id goes to the file, in one write, once the answer was received whole. A
 * process in a session of its own holds a lock for as long as it lives.
 */
const CLIENT = `
import fcntl, hashlib, http.client, os, ssl, sys, threading, time
prefix = sys.argv[1]
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    lock = open(prefix + '.lock', 'w')
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write('held'); lock.flush()
    while True: time.sleep(1)
done = os.open(prefix + '.done', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def filler(id):
    hash = hashlib.sha256(('request ' + id).encode()).digest()
    size = 40000 if hash[0] == 0 else int.from_bytes(hash[1:3], 'big') % 3000
    return ((id + ' ') * (-(-size // (len(id) + 1)) + 1)).encode()
def work(number):
    connection = http.client.HTTPSConnection('origin.test', context=ssl.create_default_context())
    for n in range(1000000):
        id = '%s-%d-%d' % (os.path.basename(prefix), number, n)
        connection.request('POST', '/' + id, filler(id))
        if connection.getresponse().read().startswith(id.encode()): os.write(done, (id + '\\n').encode())
for number in range(6): threading.Thread(target=work, args=(number,)).start()
`;

/** A round in so many kills gate while it starts, before anything was acknowledged. */
const EARLY = 5;

interface Tally {
  told: number;
  bytes: number;
  /** Rounds that left half a line or half a frame at an end. */
  torn: number;
}

// promise: ledger.write-first, ledger.flush-end, ledger.killed, ledger.heads, ledger.body, jail.death
test(`what a client was told is on record when gate is killed, ${ROUNDS} times over`, {
  timeout: 60_000 + ROUNDS * 15_000,
}, async () => {
  const tally: Tally = { told: 0, bytes: 0, torn: 0 };
  const killed: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const early = round % EARLY === EARLY - 1;
    const run = early ? await killedAtStart(`r${round}`) : await killedRound(`r${round}`, tally);
    // The run of this round was the next one after the last: it began as ever, and put that one down as interrupted.
    if (!early) for (const before of killed.slice(-EARLY)) await expectInterrupted(before, tally);
    if (run !== undefined) killed.push(run);
  }
  process.stderr.write(
    `${ROUNDS} kills, ${killed.length} runs, ${tally.told} acknowledged exchanges with ${tally.bytes} bytes of bodies, all on record, ${tally.torn} torn ends\n`,
  );
  expect(tally.told).toBeGreaterThan(ROUNDS * 4);
  await expectNextRun(killed);
});

/** Kills gate under load, checks what was acknowledged by then, and gives the run. */
async function killedRound(name: string, tally: Tally): Promise<string> {
  const prefix = join(home.dir, name);
  const started = startClient(prefix);
  const working = await within(90_000, () => acknowledged(prefix).length > 0 && existsSync(`${prefix}.lock`));
  expect(working, started.stderr()).toBe(true);
  await sleep(Math.random() * 500);
  process.kill(started.pid, 'SIGKILL');
  await expectNothingLeft(prefix);
  // The client's own complaints of its broken connections are no complaint of gate's.
  expect((await started.ended).stderr).not.toMatch(/^gate: /m);
  const ids = acknowledged(prefix);
  const killed = home.runs().at(-1) ?? '';
  tally.told += ids.length;
  tally.bytes += await expectRecorded(killed, ids);
  return killed;
}

/** Kills gate at some moment of its start; gives the run if there is one yet. */
async function killedAtStart(name: string): Promise<string | undefined> {
  const prefix = join(home.dir, name);
  const before = new Set(home.runs());
  const started = startClient(prefix);
  await sleep(Math.random() * 800);
  process.kill(started.pid, 'SIGKILL');
  expect((await started.ended).stderr).not.toMatch(/^gate: /m);
  const run = home.runs().find((each) => !before.has(each));
  const ids = acknowledged(prefix);
  if (ids.length > 0) await expectNothingLeft(prefix);
  if (run !== undefined) await expectRecorded(run, ids);
  else expect(ids).toEqual([]);
  return run;
}

function startClient(prefix: string): Started {
  const command = ['python3', 'client.py', prefix];
  const started = startGate(home, ['run', ...origin.runOptions, '--', ...command], 150_000);
  latest = started;
  return started;
}

function acknowledged(prefix: string): string[] {
  if (!existsSync(`${prefix}.done`)) return [];
  const lines = readFileSync(`${prefix}.done`, 'utf8').split('\n');
  return lines.slice(0, -1);
}

/** The kernel gives the lock to someone else only when its holder, far from gate and its session, is gone. */
async function expectNothingLeft(prefix: string): Promise<void> {
  const held = await runScript(home, `test -s ${prefix}.lock && flock -w 20 ${prefix}.lock true`);
  expect(held.code).toBe(0);
  const before = acknowledged(prefix).length;
  await sleep(50);
  expect(acknowledged(prefix)).toHaveLength(before);
}

/** Gives how many bytes the bodies have. */
async function expectRecorded(run: string, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  let bytes = 0;
  const records = wholeLines(run);
  const byUrl = new Map(records.filter(({ type }) => type === 'request').map((each) => [each['url'], each]));
  const byId = (type: string) =>
    new Map(records.filter((each) => each.type === type).map((each) => [each['id'], each]));
  const [responses, ends] = [byId('response'), byId('end')];
  const pack = await openPackReader(join(runDir(run), 'bodies.pack'));
  for (const id of ids) {
    const request = byUrl.get(`https://origin.test/${id}`);
    expect(request, `${id} was acknowledged, its request is lost`).toBeDefined();
    expect(responses.get(request?.['id']), id).toMatchObject({ status: 200 });
    const end = ends.get(request?.['id']);
    expect(end, id).toMatchObject({ outcome: 'complete' });
    const sent = (end?.['requestBody'] ?? request?.['body']) as Body;
    await expectBody(pack.read(sent), sent, filler(id, 'request'));
    const received = end?.['responseBody'] as Body;
    await expectBody(pack.read(received), received, filler(id, 'answer'));
    bytes += sent.bytes + received.bytes;
  }
  await pack.close();
  return bytes;
}

async function expectBody(stored: Promise<Buffer>, body: Body, content: Buffer): Promise<void> {
  expect(body.sha256).toBe(createHash('sha256').update(content).digest('hex'));
  expect((await stored).equals(content)).toBe(true);
}

/** What a killed run left is put down as interrupted, once, and verifies as it stands: nothing repairs it. */
async function expectInterrupted(run: string, tally: Tally): Promise<void> {
  if (checked.has(run)) return;
  checked.add(run);
  const heads = readFileSync(join(data(), 'heads.jsonl'), 'utf8');
  const marks = heads.split('\n').filter((line) => line.includes(`"${run}"`));
  const types = marks.map((line) => (JSON.parse(line) as AnyRecord).type);
  const paths = gatePaths(home.env);
  const verdict = await verifyRun(findRun(paths, run));
  expect(verdict.ok, JSON.stringify(verdict)).toBe(true);
  if (verdict.findings.some(({ kind }) => kind === 'torn_tail')) tally.torn += 1;
  // Killed before it was noted: then nothing was started either.
  if (types.length === 0 && verdict.records < 2) return;
  expect(types, run).toEqual(['opened', 'interrupted']);
}

/** A run starts as ever, everything verifies, and every killed run is listed as what it is. */
async function expectNextRun(killed: readonly string[]): Promise<void> {
  expect(await home.gate(['run', '--quiet', '--', 'echo', 'as ever'])).toMatchObject({
    exitCode: 0,
    stdout: 'as ever\n',
    stderr: '',
  });
  const verdict = await startGate(home, ['verify', '--json'], 600_000).ended;
  expect(verdict.code, verdict.stdout.toString()).toBe(0);
  const { ok, runs, findings } = JSON.parse(verdict.stdout.toString()) as {
    ok: boolean;
    runs: unknown[];
    findings: unknown[];
  };
  expect({ ok, findings }).toEqual({ ok: true, findings: [] });
  expect(runs).toHaveLength(killed.length + 1);
  const listed = await home.gate(['runs', '--json']);
  const states = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const interrupted = states.filter(({ state }) => state === 'interrupted').map(({ run }) => run);
  expect(interrupted.toSorted()).toEqual(killed.toSorted());
}

const data = (): string => home.at('data');
const runDir = (run: string): string => join(data(), 'runs', run);

/** The records up to the last whole line: a torn one is no record. */
function wholeLines(run: string): AnyRecord[] {
  const lines = readFileSync(join(runDir(run), 'ledger.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AnyRecord);
}
