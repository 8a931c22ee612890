import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { runScript, startGate } from '../helpers/shell.ts';

/** The command's streams, and everything else that a process inherits, are as they would be without gate. */
let home: TestHome;
beforeAll(() => {
  home = testHome();
});
afterAll(() => home.remove());

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const SUMMARY = /^gate: \d+ exchanges?, \d+ hosts?.* \(run [0-9A-Z]{6}(?:, widened: [^)]+)?\) - gate .+\n$/;

describe('streams', () => {
  // promise: cmd.streams, summary
  test('a megabyte of any bytes goes in and comes out as it is', async () => {
    const bytes = randomBytes(1 << 20);
    writeFileSync(join(home.dir, 'bytes'), bytes);
    const piped = await runScript(home, 'cat | gate run -- cat', { input: bytes });
    expect(piped.code).toBe(0);
    expect(sha256(piped.stdout)).toBe(sha256(bytes));
    expect(piped.stderr).toMatch(SUMMARY);
    const files = await runScript(
      home,
      'gate run --quiet -- cat < bytes > copy; cmp bytes copy && echo same',
    );
    expect(files).toMatchObject({ stderr: '' });
    expect(files.stdout.toString()).toBe('same\n');
  });

  test('what the command does not read of its input is left for the next one', async () => {
    const result = await runScript(
      home,
      `seq 3 > three; { gate run --quiet -- sh -c 'read line; echo "got $line"'; cat; } < three`,
    );
    expect(result.stdout.toString()).toBe('got 1\n2\n3\n');
  });

  // promise: cmd.streams
  test('stdout and stderr stay apart, --quiet adds nothing', async () => {
    const result = await home.gate(['run', '--quiet', '--', 'sh', '-c', 'printf out; printf err >&2']);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'out', stderr: 'err' });
  });

  test('a slow reader gets all of a large output', async () => {
    const result = await runScript(
      home,
      'gate run -- seq 300000 | { sleep 1; sha256sum; }; seq 300000 | sha256sum',
    );
    const [slow, plain] = result.stdout.toString().split('\n');
    expect(slow).toBe(plain);
    expect(result.stderr).toMatch(SUMMARY);
  });

  // promise: exit.signal
  test('a reader that goes away ends the command by SIGPIPE', async () => {
    const result = await runScript(home, `gate run -- yes | head -1; echo "\${PIPESTATUS[*]}"`);
    expect(result.stdout.toString()).toBe('y\n141 0\n');
    expect(home.ledger().at(-1)).toMatchObject({ type: 'run.end', signal: 'SIGPIPE' });
  });
});

describe('closed streams', () => {
  test.each([
    ['stdin', '<&-', "sh -c 'cat; echo out; echo err >&2; exit 4'", 'out\n', /err\ngate: .*\n$/],
    ['stdout', '>&-', "sh -c 'echo err >&2; exit 4'", '', /^err\ngate: .*\n$/],
    ['stderr', '2>&-', "sh -c 'echo out; exit 4'", 'out\n', /^$/],
    ['all of them', '<&- >&- 2>&-', "sh -c 'exit 4'", '', /^$/],
  ])('%s', async (_, closing, command, stdout, stderr) => {
    const result = await runScript(home, `gate run -- ${command} ${closing}`);
    expect(result.code).toBe(4);
    expect(result.stdout.toString()).toBe(stdout);
    expect(result.stderr).toMatch(stderr);
  });

  test('no descriptor of gate or of its caller goes in', async () => {
    // The fourth is the folder that ls itself has open.
    const result = await runScript(home, 'gate run --quiet -- ls /proc/self/fd 7</dev/null 9>&1');
    expect(result.stdout.toString()).toBe('0\n1\n2\n3\n');
  });
});

describe('what gate says', () => {
  let origin: HttpsOrigin;
  beforeAll(async () => {
    origin = await startHttpsOrigin('origin.test');
  });
  afterAll(() => origin.stop());

  // promise: summary, summary.silence
  test('nothing while the command runs, then the summary, and what would have let the refused through', async () => {
    const script = `
      curl -s -o /dev/null https://origin.test/fine
      curl -s -o /dev/null https://denied.test/
      (exec 3<>/dev/tcp/203.0.113.9/4444) 2>/dev/null
      exec 3<>/dev/tcp/203.0.113.9/443; echo plain words >&3; cat <&3
      echo through; sleep 1`;
    const options = [...origin.runOptions, '--deny', 'denied.test'];
    const started = startGate(home, ['run', ...options, '--', 'bash', '-c', script]);
    await started.says(/through/);
    expect(started.stderr()).toBe('');
    const { code, stderr } = await started.ended;
    expect(code).toBe(0);
    const [summary, help, ...rest] = stderr.split('\n');
    expect(`${summary}\n`).toMatch(SUMMARY);
    expect(summary).toContain('1 blocked');
    expect(help).toBe('gate: 1 refused: 203.0.113.9:4444 - gate passthrough 203.0.113.9:4444');
    expect(rest).toEqual(['']);
  });
});

describe('what a process inherits', () => {
  // promise: jail.self
  test('working directory, umask, niceness, limits, uid and gid', async () => {
    mkdirSync(join(home.dir, 'a folder'));
    const show =
      'pwd; umask; nice; ulimit -Sa; ulimit -Ha; id -u; id -g; umask 0; : > made; stat -c %a made; rm made';
    const settings =
      'cd "a folder"; umask 027; ulimit -n 512; ulimit -c 0; ulimit -Ss 4096; ulimit -f 100000';
    // The command's own path is not in the way: bash shows the same in both.
    const script = `${settings}; run() { nice -n 5 "$@" bash -c '${show}'; }
      run > ../outside; run gate run --quiet -- > ../inside; cd ..; diff outside inside && wc -l < inside`;
    const result = await runScript(home, script);
    expect(result.stdout.toString()).toMatch(/^\d+\n$/);
    expect(result.stderr).toBe('');
  });

  test('arguments with blanks, newlines, quotes, nothing and letters of every kind', async () => {
    const args = [
      'a b',
      'new\nline',
      'ünï → 日本 🦀',
      '',
      '\'q\' "Q"',
      '$HOME',
      '*',
      '--',
      '--quiet',
      '-x',
      '\\n',
    ];
    const result = await home.gate(['run', '--quiet', '--', 'printf', '<%s>\\0', ...args]);
    expect(result.stdout).toBe(args.map((arg) => `<${arg}>\0`).join(''));
    expect(home.ledger()[0]).toMatchObject({ argv: ['printf', '<%s>\\0', ...args] });
  });

  // promise: env.set
  test('variables of any text, and the folder as the shell names it', async () => {
    const env = { PLAIN: 'x=y', EMPTY: '', LINES: 'one\ntwo', LETTERS: 'ünï 日本' };
    const result = await home.gate(['run', '--quiet', '--', 'env', '-0'], { env });
    const inside = new Map(result.stdout.split('\0').map((line) => [line.replace(/=[\s\S]*/, ''), line]));
    for (const [name, value] of Object.entries({ ...home.env, ...env })) {
      expect(inside.get(name)).toBe(`${name}=${value}`);
    }
    expect(inside.get('GATE_RUN')).toBe(`GATE_RUN=${home.runs().at(-1)}`);
  });
});
