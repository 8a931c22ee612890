import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { runScript } from '../helpers/shell.ts';

let home: TestHome;
beforeAll(() => {
  home = testHome();
});
afterAll(() => home.remove());

const run = (...command: string[]) => home.gate(['run', '--', ...command]);

describe('gate run exits as its command', () => {
  // promise: exit.own, exit.signal
  test.each([
    ['success', ['true'], 0],
    ['a code of its own', ['sh', '-c', 'exit 42'], 42],
    ['gate-like codes of its own', ['sh', '-c', 'exit 125'], 125],
    ['SIGTERM', ['sh', '-c', 'kill -TERM $$'], 143],
    ['SIGKILL', ['sh', '-c', 'kill -KILL $$'], 137],
    ['SIGSEGV', ['sh', '-c', 'kill -SEGV $$'], 139],
    ['SIGPIPE', ['sh', '-c', 'kill -PIPE $$'], 141],
    ['a real-time signal', ['sh', '-c', 'kill -40 $$'], 168],
  ])('%s', async (_, command, code) => {
    expect((await run(...command)).exitCode).toBe(code);
  });

  test('SIGINT ends gate by SIGINT, so that a shell loop around it stops', async () => {
    expect(await run('sh', '-c', 'kill -INT $$')).toMatchObject({ signal: 'SIGINT' });
  });

  // promise: exit.127
  test('a command that does not exist is 127', async () => {
    const result = await run('no-such-command-here');
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toMatch(/^gate: .*no-such-command-here/);
  });

  // promise: exit.126
  test('a folder, and a file without execute permission, are 126', async () => {
    const file = join(home.dir, 'plain.txt');
    writeFileSync(file, 'text\n', { mode: 0o644 });
    mkdirSync(join(home.dir, 'folder'));
    expect((await run('./plain.txt')).exitCode).toBe(126);
    expect((await run('./folder')).exitCode).toBe(126);
  });
});

describe('gate run could not do its job: 125', () => {
  // promise: exit.125, exit.next-step
  test.each([
    ['no command', ['run'], 'gate run --'],
    ['an unknown option', ['run', '--enforcce', '--', 'true'], '--enforce'],
    ['a bad --resolve', ['run', '--resolve', 'nonsense', '--', 'true'], '--resolve'],
    ['a bad pattern', ['run', '--deny', 'a?b', '--', 'true'], '--deny'],
    ['an --upstream-ca that is not there', ['run', '--upstream-ca', '/nowhere.pem', '--', 'true'], 'nowhere'],
  ])('%s', async (_, args, hint) => {
    const result = await home.gate(args);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toMatch(/^gate: /);
    expect(result.stderr).toContain(hint);
  });

  // promise: exit.next-step
  test('a helper that a limit kills is named with what killed it', async () => {
    const { code, stderr } = await runScript(home, 'ulimit -f 64; gate run -- true');
    expect(code).toBe(125);
    expect(stderr).toMatch(
      /^gate: .*before its command was started \(its helper: SIGXFSZ\)\n {2}see to .*ulimit/,
    );
  });

  // promise: lists.bad-line
  test('a bad line in a list names file and line', async () => {
    const other = testHome();
    const config = other.at('config');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, 'denylist.txt'), '# mine\nfine.example\nbad[line\n');
    const result = await other.gate(['run', '--', 'true']);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain('denylist.txt:3: ');
    other.remove();
  });

  // promise: env.nested
  test('a jail in a jail is refused', async () => {
    const result = await run(process.execPath, join(process.cwd(), 'dist/cli.js'), 'run', '--', 'true');
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain('already inside');
  });
});

describe('other commands', () => {
  // promise: exit.others
  test('nothing to list is 0, no such run is 1, wrong usage is 2', async () => {
    const empty = testHome();
    expect(await empty.gate(['runs'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: 'gate: no runs yet\n  gate run -- <command>\n',
    });
    expect((await empty.gate(['verify', 'last'])).exitCode).toBe(1);
    expect((await empty.gate(['verify', '--hed', 'x'])).exitCode).toBe(2);
    empty.remove();
  });

  // promise: cmd.typo, cmd.help
  test('a mistyped command is answered with the likely one, and help begins with examples', async () => {
    const typo = await home.gate(['verfy']);
    expect(typo.exitCode).toBe(2);
    expect(typo.stderr).toBe("gate: unknown command 'verfy'\n  Did you mean verify?\n");
    expect((await home.gate(['run', '--help'])).stdout).toMatch(/^Examples:/);
  });

  // promise: exit.next-step
  test.each([
    [['zzzzzz'], 'gate help'],
    [['run', '--zzzzzz', '--', 'true'], 'gate help run'],
    [['run', '--mode', 'none', '--', 'true'], 'gate help run'],
    [['export'], 'gate help export'],
    [['lists', 'suggest', '--zzzzzz'], 'gate help lists suggest'],
  ])('wrong usage that resembles nothing is told where to read: %j', async (args, next) => {
    const { exitCode, stderr } = await home.gate(args);
    expect(exitCode).toBe(args[0] === 'run' ? 125 : 2);
    expect(stderr).toMatch(/^gate: .*\n {2}.*\n$/);
    expect(stderr.split('\n')[1]).toBe(`  ${next}`);
  });
});
