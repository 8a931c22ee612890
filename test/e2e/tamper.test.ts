import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ShownVerdict, verdictText } from '../../src/output/verdict.ts';
import { FIRST_PREV, lineHash } from '../../src/store/chain.ts';
import { decodeFrame, encodeFrame } from '../../src/store/pack-format.ts';
import { scanPack } from '../../src/store/pack-scan.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { startGate, within } from '../helpers/shell.ts';

/**
 * Every way to change a record that the documentation names, done to runs that gate has recorded: one that was closed
 * and one whose gate was killed. What is found must name the kind and the first bad line.
 */
let home: TestHome;
let origin: HttpsOrigin;
/** The files of the data folder that may be changed, as they were recorded. */
let kept: string;
let closed: string;
let killed: string;
let head: string;

const data = (...names: string[]): string => join(home.at('data'), ...names);
const ledger = (run = closed): string => data('runs', run, 'ledger.jsonl');
const pack = (run = closed): string => data('runs', run, 'bodies.pack');

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('origin.test', (request, response) => {
    request.resume();
    response.setHeader('content-type', 'text/plain');
    response.write(`the answer to ${request.url} `.repeat(40));
    if (request.url !== '/open') response.end();
    else setTimeout(() => response.write('and a second piece'), 300);
  });
  const curls = [1, 2, 3].map((n) => `curl -s -d 'hello number ${n}' https://origin.test/${n}`).join('; ');
  const run = await home.gate(['run', '-v', ...origin.runOptions, '--', 'sh', '-c', curls]);
  head = /^gate: head ([0-9a-f]{64}) \(records \d+\)$/m.exec(run.stderr)?.[1] ?? run.stderr;
  closed = home.runs()[0] ?? '';
  const open = startGate(home, [
    'run',
    ...origin.runOptions,
    '--',
    'curl',
    '-sN',
    'https://origin.test/open',
  ]);
  expect(await within(20_000, () => open.stdout().includes('second piece'))).toBe(true);
  process.kill(open.pid, 'SIGKILL');
  await open.ended;
  killed = home.runs().at(-1) ?? '';
  // A kill in the middle of a write, which no test can time.
  appendFileSync(ledger(killed), '{"v":1,"seq":');
  await home.gate(['run', '-q', '--', 'true']);
  await home.gate(['allow', 'one.example']);
  await home.gate(['allow', 'two.example']);
  kept = join(home.dir, 'kept');
  cpSync(data(), kept, { recursive: true });
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

async function verify(
  args: readonly string[] = [],
): Promise<{ verdict: ShownVerdict; exitCode: number | undefined }> {
  const { stdout, exitCode } = await home.gate(['verify', '--json', ...args]);
  return { verdict: JSON.parse(stdout) as ShownVerdict, exitCode };
}

/** `kind file:line` of every finding that is more than a note. */
function serious({ runs, findings }: ShownVerdict): string[] {
  const all = [...runs.flatMap((run) => run.findings), ...findings];
  return all
    .filter(({ level }) => level !== 'note')
    .map(({ kind, file, line }) => `${kind} ${file}${line === undefined ? '' : `:${line}`}`);
}

function editLines(file: string, edit: (lines: string[]) => string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  writeFileSync(
    file,
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

/** Another text in the place of a stored one, in a frame that is right in itself. */
async function replaceChunk(): Promise<void> {
  const bytes = readFileSync(pack());
  for await (const { position, length } of scanPack(pack())) {
    const { head, stored } = decodeFrame(bytes.subarray(position, position + length), position) ?? {};
    if (head === undefined || stored === undefined || head.deflate || stored.length === 0) continue;
    const other = Buffer.from(stored.map((byte) => byte ^ 1));
    Buffer.concat([encodeFrame(head, other, position), other]).copy(bytes, position);
    break;
  }
  writeFileSync(pack(), bytes);
}

/** Changes a line and makes all hashes after it anew, as somebody would who knows the format. */
function rewriteChain(at: number, edit: (line: string) => string): void {
  let prev = FIRST_PREV;
  editLines(ledger(), (lines) =>
    lines.map((line, index) => {
      const edited = (index === at ? edit(line) : line).replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`);
      prev = lineHash(edited);
      return edited;
    }),
  );
}

/** Not the last frame of the killed run's pack, which may be torn, and none that a record names. */
async function flipStreamed(): Promise<void> {
  const frames: number[] = [];
  for await (const item of scanPack(pack(killed))) frames.push(item.position + item.length - 1);
  flip(pack(killed), frames[0] ?? 0);
}

const count = (file: string): number => readFileSync(file, 'utf8').split('\n').length - 1;

const CASES: readonly (readonly [string, () => void | Promise<void>, () => string[]])[] = [
  ['nothing', () => undefined, () => []],
  [
    'an edited line',
    () => editLines(ledger(), (lines) => lines.with(3, (lines[3] ?? '').replace('"at":"2', '"at":"3'))),
    () => ['edited_line ledger:4'],
  ],
  [
    'two lines swapped',
    () => editLines(ledger(), (lines) => lines.with(3, lines[4] ?? '').with(4, lines[3] ?? '')),
    () => ['moved_line ledger:4', 'moved_line ledger:5'],
  ],
  [
    'a line deleted',
    () => editLines(ledger(), (lines) => lines.toSpliced(3, 1)),
    () => ['removed_lines ledger:4', `truncated ledger:${count(ledger())}`],
  ],
  [
    'cut at the end of a line',
    () => editLines(ledger(), (lines) => lines.slice(0, 6)),
    () => ['truncated ledger:6'],
  ],
  [
    'cut inside a line',
    () => truncateSync(ledger(), statSync(ledger()).size - 7),
    () => ['torn_tail ledger', `truncated ledger:${count(ledger())}`],
  ],
  [
    'the last line edited',
    () => editLines(ledger(), (lines) => lines.with(-1, (lines.at(-1) ?? '').replace('"at":"2', '"at":"3'))),
    () => [`head_mismatch ledger:${count(ledger())}`],
  ],
  [
    'a line edited and the chain after it computed again',
    () => rewriteChain(3, (line) => line.replace('"at":"2', '"at":"3')),
    () => [`head_mismatch ledger:${count(ledger())}`],
  ],
  ['a line added', () => appendFileSync(ledger(), '{"v":1}\n'), () => [`appended ledger:${count(ledger())}`]],
  ['a stored chunk replaced', replaceChunk, () => ['body_changed pack:2']],
  ['a byte of a stored body', () => flip(pack(), 40), () => ['body_damaged']],
  ['the pack cut', () => truncateSync(pack(), 60), () => ['body_missing', 'pack_truncated']],
  ['the pack removed', () => rmSync(pack()), () => ['missing_pack', 'body_missing']],
  ['the ledger removed', () => rmSync(ledger()), () => ['missing_ledger ledger']],
  ['a run removed', () => rmSync(dirname(ledger()), { recursive: true }), () => ['missing_run run']],
  [
    'a killed run removed',
    () => rmSync(data('runs', killed), { recursive: true }),
    () => ['missing_run run'],
  ],
  [
    'a killed run cut at the end of a line',
    () => editLines(ledger(killed), (lines) => lines.slice(0, 2)),
    () => ['torn_tail ledger', 'truncated ledger:2'],
  ],
  [
    'a torn tail changed',
    () => flip(ledger(killed), statSync(ledger(killed)).size - 2),
    () => ['torn_tail ledger'],
  ],
  [
    'a torn tail finished',
    () => appendFileSync(ledger(killed), '3}\n'),
    () => ['damaged_line ledger:4', 'torn_tail ledger', 'appended ledger:4'],
  ],
  ['what a killed run had streamed', flipStreamed, () => ['body_damaged pack']],
  ['heads.jsonl cut', () => editLines(data('heads.jsonl'), (lines) => lines.slice(0, 1)), () => ['no_head']],
  ['heads.jsonl emptied', () => writeFileSync(data('heads.jsonl'), ''), () => ['no_head ledger']],
  ['heads.jsonl removed', () => rmSync(data('heads.jsonl')), () => ['no_head ledger']],
  [
    'a line of heads.jsonl edited',
    () =>
      editLines(data('heads.jsonl'), (lines) =>
        lines.with(0, (lines[0] ?? '').replace('"at":"2', '"at":"3')),
      ),
    () => ['edited_line heads:1'],
  ],
  [
    'actions.jsonl cut',
    () => editLines(data('actions.jsonl'), (lines) => lines.slice(0, 1)),
    () => ['truncated actions:1'],
  ],
  ['actions.jsonl removed', () => rmSync(data('actions.jsonl')), () => ['truncated actions:0']],
  [
    'the last action edited',
    () => editLines(data('actions.jsonl'), (lines) => lines.with(1, (lines[1] ?? '').replace('two', 'six'))),
    () => ['head_mismatch actions:2'],
  ],
];

// promise: ledger.tamper, verify, ledger.killed
describe('gate verify', () => {
  test.each(CASES)('%s', async (_, tamper, expected) => {
    rmSync(data(), { recursive: true });
    cpSync(kept, data(), { recursive: true });
    await tamper();
    const { verdict, exitCode } = await verify();
    const found = serious(verdict);
    const wanted = expected();
    expect({ ok: verdict.ok, exitCode }).toEqual(
      wanted.length === 0 ? { ok: true, exitCode: 0 } : { ok: false, exitCode: 1 },
    );
    for (const each of wanted) {
      expect(
        found.some((one) => one === each || one.startsWith(`${each} `)),
        `${each} in ${found.join(', ')}`,
      ).toBe(true);
    }
    if (wanted.length === 0) expect(found).toEqual([]);
    // A person is told the same: each kind, where, and of which run.
    const text = verdictText(verdict);
    for (const each of wanted) {
      const [kind = '', where] = each.split(' ');
      expect(text).toMatch(new RegExp(`^     error ${kind} \\(${where ?? '[a-z]+(?::\\d+)?'}`, 'm'));
    }
    expect(text).toContain(wanted.length === 0 ? 'verified' : 'the record was changed or is incomplete');
  });

  test('tells a killed run from a changed one, and compares with the head that gate run -v printed', async () => {
    rmSync(data(), { recursive: true });
    cpSync(kept, data(), { recursive: true });
    const { verdict } = await verify();
    const notes = verdict.runs.map(({ run, findings }) => [run, findings.map(({ kind }) => kind)]);
    expect(notes).toContainEqual([closed, []]);
    expect(notes).toContainEqual([killed, ['torn_tail', 'interrupted']]);
    expect((await verify([closed, '--head', head])).exitCode).toBe(0);
    const other = await verify([
      closed,
      '--head',
      head.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    ]);
    expect(serious(other.verdict)).toEqual(['head_mismatch ledger']);
    expect(await home.gate(['verify', closed, '--head', head.slice(0, 8)])).toMatchObject({ exitCode: 2 });
  });
});
