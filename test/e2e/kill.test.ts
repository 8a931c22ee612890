import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Body } from '../../src/core/record.ts';
import { openPackReader } from '../../src/store/pack-reader.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type AnyRecord, type TestHome, testHome } from '../helpers/product.ts';
import { runScript, startGate, within } from '../helpers/shell.ts';

/** gate is killed in the middle of its work, again and again; whatever a client was told must be on record. */
const ROUNDS = Number(process.env['GATE_KILL_ROUNDS'] ?? '20');

let home: TestHome;
let origin: HttpsOrigin;
beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test', answer);
  writeFileSync(join(home.dir, 'client.py'), CLIENT);
});
afterAll(async () => {
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

// promise: ledger.write-first, ledger.flush-end, ledger.killed, ledger.heads, ledger.body, jail.death
test(`what a client was told is on record when gate is killed, ${ROUNDS} times over`, {
  timeout: 20_000 + ROUNDS * 15_000,
}, async () => {
  let told = 0;
  for (let round = 0; round < ROUNDS; round += 1) told += await killedRound(`r${round}`);
  process.stderr.write(`${ROUNDS} kills, ${told} acknowledged exchanges, all on record\n`);
  expect(told).toBeGreaterThan(ROUNDS * 5);

  const verdict = await home.gate(['verify', '--json']);
  expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true });
  expect(verdict.exitCode).toBe(0);
});

/** Kills gate under load, and gives how many exchanges had been acknowledged by then. */
async function killedRound(name: string): Promise<number> {
  const prefix = join(home.dir, name);
  const started = startGate(home, ['run', ...origin.runOptions, '--', 'python3', 'client.py', prefix]);
  const working = await within(15_000, () => acknowledged(prefix).length > 0 && existsSync(`${prefix}.lock`));
  expect(working, started.stderr()).toBe(true);
  await sleep(Math.random() * 500);
  process.kill(started.pid, 'SIGKILL');
  await expectNothingLeft(prefix);
  await started.ended;
  const ids = acknowledged(prefix);
  const killed = home.runs().at(-1) ?? '';
  await expectRecorded(killed, ids);
  await expectNextRun(killed);
  return ids.length;
}

function acknowledged(prefix: string): string[] {
  if (!existsSync(`${prefix}.done`)) return [];
  const lines = readFileSync(`${prefix}.done`, 'utf8').split('\n');
  return lines.slice(0, -1);
}

/** The kernel gives the lock to someone else only when its holder, far from gate and its session, is gone. */
async function expectNothingLeft(prefix: string): Promise<void> {
  const held = await runScript(home, `test -s ${prefix}.lock && flock -w 1 ${prefix}.lock true`);
  expect(held.code).toBe(0);
  const before = acknowledged(prefix).length;
  await sleep(50);
  expect(acknowledged(prefix)).toHaveLength(before);
}

async function expectRecorded(run: string, ids: readonly string[]): Promise<void> {
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
  }
  await pack.close();
}

async function expectBody(stored: Promise<Buffer>, body: Body, content: Buffer): Promise<void> {
  expect(body.sha256).toBe(createHash('sha256').update(content).digest('hex'));
  expect((await stored).equals(content)).toBe(true);
}

/** Another run starts as ever, and what the killed one left is put down as interrupted, with nothing amiss. */
async function expectNextRun(killed: string): Promise<void> {
  expect(await home.gate(['run', '--quiet', '--', 'echo', 'as ever'])).toMatchObject({
    exitCode: 0,
    stdout: 'as ever\n',
    stderr: '',
  });
  const heads = readFileSync(join(home.env['GATE_HOME'] ?? '', 'data', 'heads.jsonl'), 'utf8');
  const marks = heads.split('\n').filter((line) => line.includes(`"${killed}"`));
  expect(marks.map((line) => (JSON.parse(line) as AnyRecord).type)).toEqual(['opened', 'interrupted']);
  const verdict = await home.gate(['verify', killed, '--json']);
  expect(verdict.exitCode, verdict.stdout).toBe(0);
  const listed = await home.gate(['runs', '--json']);
  const states = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(states.find(({ run }) => run === killed)).toMatchObject({ state: 'interrupted' });
}

const runDir = (run: string) => join(home.env['GATE_HOME'] ?? '', 'data', 'runs', run);

/** The records up to the last whole line: a torn one is no record. */
function wholeLines(run: string): AnyRecord[] {
  const lines = readFileSync(join(runDir(run), 'ledger.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AnyRecord);
}
