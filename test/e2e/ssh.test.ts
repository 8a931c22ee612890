import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { noSshServer, type SshServer, startSshServer } from '../helpers/ssh-server.ts';

/** git over ssh, which no proxy can read: refused until a person passes it through. */
const WHY_NOT = noSshServer();
let home: TestHome;
let server: SshServer;

beforeAll(async () => {
  home = testHome();
  if (WHY_NOT !== undefined) return;
  server = await startSshServer(home.dir);
  makeRepository();
});
afterAll(async () => {
  await server?.stop();
  home.remove();
});
beforeEach((context) => context.skip(WHY_NOT !== undefined, WHY_NOT));

const resolve = () => ['--resolve', `git.test:22:127.0.0.1:${server.port}`];
const clone = (name: string) => ['git', 'clone', '-q', `git.test:${join(home.dir, 'repo.git')}`, name];
const run = (options: readonly string[], command: readonly string[]) =>
  home.gate(['run', ...resolve(), ...options, '--', ...command], {
    env: { GIT_SSH_COMMAND: server.command('git.test') },
  });
const cloned = (name: string) => readFileSync(join(home.dir, name, 'hello.txt'), 'utf8');

test('outside the jail the clone works', async () => {
  const reached = ['-p', String(server.port), '-o', 'HostName=127.0.0.1', '-o', 'HostKeyAlias=git.test'];
  const env = { ...home.env, GIT_SSH_COMMAND: [server.command('git.test'), ...reached].join(' ') };
  await execa({ cwd: home.dir, env, extendEnv: false, timeout: 20_000 })`${clone('outside')}`;
  expect(cloned('outside')).toBe('hello over ssh\n');
});

// promise: jail.refused, summary
test('it is refused at once, by the name that was asked for, with what to type about it', async () => {
  const result = await run([], clone('refused'));
  expect(result.exitCode).toBe(128);
  expect(result.stderr).toMatch(/connect to host git\.test port 22: Connection refused/);
  expect(result.stderr).toContain('gate: 1 refused: git.test:22 - gate passthrough git.test:22\n');
  expect(home.ledger()).toContainEqual(
    expect.objectContaining({
      type: 'refused',
      proto: 'tcp',
      host: 'git.test',
      address: expect.stringMatching(/^198\.1[89]\./),
      port: 22,
      reason: 'port_not_captured',
    }),
  );
});

// promise: jail.refused, summary
test('on the allowlist it is captured, cannot be read, and the same command is named', async () => {
  const result = await run(['--allow', 'git.test:22'], clone('allowed'));
  expect(result.exitCode).toBe(128);
  expect(result.stderr).toContain('gate: 1 refused: git.test:22 - gate passthrough git.test:22\n');
  expect(home.ledger()).toContainEqual(
    expect.objectContaining({ type: 'refused', host: 'git.test', port: 22, reason: 'unreadable_protocol' }),
  );
});

// promise: decide.passthrough, run.once
test('--passthrough lets it clone for one run, and its bytes are counted', async () => {
  const result = await run(['--passthrough', 'git.test:22'], clone('passed'));
  expect(result).toMatchObject({ exitCode: 0, stdout: '' });
  expect(cloned('passed')).toBe('hello over ssh\n');
  expect(result.stderr).toContain('1 tunnel');
  const [tunnel, ...others] = home.ledger().filter(({ type }) => type === 'tunnel');
  expect(others).toEqual([]);
  expect(tunnel).toMatchObject({
    via: 'captured',
    host: 'git.test',
    port: 22,
    decision: { verdict: 'forward', list: 'passthrough' },
    outcome: 'complete',
  });
  // The handshake alone is more than a thousand bytes either way.
  for (const direction of ['bytesUp', 'bytesDown']) expect(tunnel?.[direction]).toBeGreaterThan(1000);
  expect((await run([], clone('again'))).exitCode).toBe(128);
});

// promise: decide.passthrough, lists.command
test('the command that the summary names is what makes it work', async () => {
  expect((await home.gate(['passthrough', 'git.test:22'])).exitCode).toBe(0);
  expect(await run([], clone('listed'))).toMatchObject({ exitCode: 0 });
  expect(cloned('listed')).toBe('hello over ssh\n');
});

function makeRepository(): void {
  const work = join(home.dir, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'hello.txt'), 'hello over ssh\n');
  const who = {
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@t',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@t',
  };
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: work, env: { ...home.env, ...who }, stdio: 'pipe' });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('clone', '-q', '--bare', work, join(home.dir, 'repo.git'));
}
