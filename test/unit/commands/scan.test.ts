import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exit } from '../../../src/commands/command.ts';
import { defineScan } from '../../../src/commands/scan.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gate-scan-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function scan(
  args: readonly string[],
  input: string | Buffer = '',
): Promise<{ out: string; err: string; exit: Exit | undefined }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err]: [string[], string[]] = [[], []];
  stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  let exit: Exit | undefined;
  const stdin = Readable.from([Buffer.from(input)]);
  const program = new Command('gate').exitOverride();
  program.addCommand(
    defineScan({ io: { stdin, stdout, stderr, env: {}, cwd: dir }, finish: (value) => (exit = value) }),
  );
  await program.parseAsync(['scan', ...args], { from: 'user' });
  return { out: out.join(''), err: err.join(''), exit };
}

// promise: scan
describe('gate scan', () => {
  it('lists line, column, class, kind and mask', async () => {
    const { out, exit } = await scan([], 'hello\nmail jane.doe@acme.io\nssn 123-45-6789\n');
    expect(out).toBe('2:6  pii  email   j…e.io (16)\n3:5  pii  us_ssn  … (11)\n');
    expect(exit).toBe(0);
  });

  it('says so when there is nothing, on stderr', async () => {
    expect(await scan(['-'], 'hello')).toEqual({ out: '', err: 'gate: nothing found\n', exit: 0 });
  });

  it('prints one object with --json', async () => {
    await writeFile(join(dir, 'a.txt'), 'to jane.doe@acme.io');
    const { out } = await scan(['--json', 'a.txt']);
    expect(JSON.parse(out)).toEqual({
      findings: [{ class: 'pii', kind: 'email', start: 3, end: 19, masked: 'j…e.io (16)' }],
    });
    expect((await scan(['--json'], '')).out).toBe('{"findings":[]}\n');
  });

  it('answers each line of --jsonl, and loses none to a bad one', async () => {
    const lines = [
      JSON.stringify({ id: 'a', text: 'x\u2028jane.doe@acme.io' }),
      'not json',
      JSON.stringify({ id: 'c', text: 5 }),
      '',
      JSON.stringify({
        id: 7,
        text: 'q=jane.doe%40acme.io',
        contentType: 'application/x-www-form-urlencoded',
      }),
      JSON.stringify({ id: 'e', text: 'nothing' }),
    ];
    const { out, err, exit } = await scan(['--jsonl'], lines.join('\n'));
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(
      answers.map(({ id, findings }) => [
        id,
        findings.map((f: { start: number; end: number }) => [f.start, f.end]),
      ]),
    ).toEqual([
      ['a', [[2, 18]]],
      [7, [[2, 20]]],
      ['e', []],
    ]);
    expect(err).toMatch(/^gate: line 2: not JSON.*\ngate: line 3: text: .*\n$/);
    expect(exit).toBe(2);
  });

  it('reads CRLF lines and a line larger than a chunk', async () => {
    const big = JSON.stringify({ id: 'big', text: `${'word '.repeat(100_000)}jane.doe@acme.io` });
    await writeFile(join(dir, 'big.jsonl'), `${big}\r\n${JSON.stringify({ id: 2, text: '' })}\r\n`);
    const { out, exit } = await scan(['--jsonl', 'big.jsonl']);
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { id: 'big', findings: [{ start: 500_000, end: 500_016 }] },
      { id: 2, findings: [] },
    ]);
    expect(exit).toBe(0);
  });

  it('refuses a file that is not there, as wrong usage', async () => {
    await expect(scan(['nope.txt'])).rejects.toMatchObject({ code: 'unreadable_input', exitCode: 2 });
  });
});
