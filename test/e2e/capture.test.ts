import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { echoText, type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { exchangeOf, type TestHome, testHome } from '../helpers/product.ts';

/** Real tools in the jail against a real TLS origin. */
const { home, origin } = await homeAndOrigin('origin.test');

/** Debian's, Fedora's, Alpine's. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];
const bundlesHere = () => BUNDLES.filter((bundle) => existsSync(bundle));
/** What this machine itself trusts: its certificates, with their times. */
const trustedHere = () =>
  spawnSync('ls', ['-lRL', '--full-time', '/etc/ssl/certs', ...bundlesHere()], { encoding: 'utf8' }).stdout;
const trusted = trustedHere();

const run = (...command: string[]) => home.gate(['run', ...origin.runOptions, '--', ...command]);
/** A command line whose program gets none of the variables that gate sets. */
const bare = (...command: string[]) => [
  'env',
  '-i',
  `PATH=${home.env['PATH']}`,
  `HOME=${home.dir}`,
  ...command,
];

function expectWhole(path: string, method: string, answer: string): void {
  const { request, response, end } = exchangeOf(home.ledger(), path);
  expect(request).toMatchObject({ host: 'origin.test', port: 443, method });
  expect(response).toMatchObject({ status: 200 });
  expect(end).toMatchObject({
    outcome: 'complete',
    responseBody: { bytes: answer.length, sha256: sha256(answer) },
  });
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('tools that know nothing of gate, with every variable of its own unset', () => {
  // promise: run.capture, run.upstream-ca, jail.trust, jail.capture, decide.host
  test('curl over https', async () => {
    const answer = echoText('POST', '/curl', 'what curl sent');
    const result = await run(...bare('curl', '-sS', '-d', 'what curl sent', 'https://origin.test/curl'));
    expect(result).toMatchObject({ exitCode: 0, stdout: answer });
    expectWhole('/curl', 'POST', answer);
    expect(exchangeOf(home.ledger(), '/curl').request).toMatchObject({
      via: 'captured',
      body: { bytes: 14, sha256: sha256('what curl sent') },
    });
  });

  test('python3 urllib over https', async () => {
    const program =
      'import urllib.request as u; print(u.urlopen("https://origin.test/python").read().decode(), end="")';
    const answer = echoText('GET', '/python', '');
    expect(await run(...bare('python3', '-c', program))).toMatchObject({ exitCode: 0, stdout: answer });
    expectWhole('/python', 'GET', answer);
  });

  test('git clones over https', async () => {
    const repository = await startGitOrigin(home);
    const target = join(home.dir, 'cloned');
    const result = await home.gate([
      'run',
      ...repository.runOptions,
      '--',
      ...bare('git', 'clone', '-q', 'https://git.test/repo.git', target),
    ]);
    await repository.stop();
    expect(result).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(target, 'hello.txt'), 'utf8')).toBe('hello from a repository\n');
    const told = exchangeOf(home.ledger(), '/repo.git/info/refs?service=git-upload-pack');
    const refs = readFileSync(join(home.dir, 'www', 'repo.git', 'info', 'refs'), 'utf8');
    expect(told).toMatchObject({
      request: { host: 'git.test', method: 'GET', body: null },
      response: { status: 200 },
      end: { outcome: 'complete', responseBody: { bytes: refs.length, sha256: sha256(refs) } },
    });
  });
});

// promise: jail.trust-env, env.set
test("node's fetch, whose roots are built in, with the variables that gate sets", async () => {
  const answer = echoText('GET', '/node', '');
  const program = 'process.stdout.write(await (await fetch("https://origin.test/node")).text())';
  const result = await run(process.execPath, '--input-type=module', '-e', program);
  expect(result).toMatchObject({ exitCode: 0, stdout: answer });
  expectWhole('/node', 'GET', answer);
});

test('a client that uses the proxy variables is recorded as such', async () => {
  expect(await run('curl', '-sS', 'https://origin.test/by-proxy')).toMatchObject({ exitCode: 0 });
  expect(exchangeOf(home.ledger(), '/by-proxy').request).toMatchObject({ via: 'proxy', host: 'origin.test' });
});

// promise: decide.deny, deny.answer, deny.silence, run.once
test('a host denied for this run is refused inside TLS, and nothing reaches it', async () => {
  const before = origin.seen.length;
  const result = await home.gate([
    'run',
    '--deny',
    '*.test',
    ...origin.runOptions,
    '--',
    ...bare('curl', '-sS', '-D-', 'https://origin.test/denied'),
  ]);
  expect(result.exitCode).toBe(0);
  expect(result.stdout).toMatch(/^HTTP\/\S+ 403 /);
  expect(result.stdout.toLowerCase()).toContain('x-gate-block: denylisted');
  expect(result.stdout).toContain('"type":"gate_blocked"');
  expect(result.stdout).toContain("ask the user to start you again without --deny '*.test'");
  expect(result.stderr).toContain('1 blocked');
  expect(origin.seen.length).toBe(before);
  expect(exchangeOf(home.ledger(), '/denied')).toMatchObject({
    request: { decision: { verdict: 'deny', reason: 'denylisted', pattern: '*.test', ofRun: true } },
    end: { outcome: 'denied' },
  });
});

// promise: decide.enforce, run.enforce
test('--enforce refuses what is on no list', async () => {
  const result = await home.gate([
    'run',
    '--enforce',
    ...origin.runOptions,
    '--',
    ...bare('curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', 'https://origin.test/unknown'),
  ]);
  expect(result).toMatchObject({ exitCode: 0, stdout: '403' });
});

// promise: run.allow-local, summary
test('a service of the host is let in by --allow-local, and named in the summary', async () => {
  const server = await startHttpsOrigin('localhost');
  const result = await home.gate([
    'run',
    '--upstream-ca',
    server.runOptions[3] ?? '',
    '--allow-local',
    String(server.port),
    '--',
    'curl',
    '-sS',
    `https://localhost:${server.port}/local`,
  ]);
  await server.stop();
  expect(result).toMatchObject({ exitCode: 0, stdout: echoText('GET', '/local', '') });
  expect(result.stderr).toContain(`widened: local:${server.port}`);
  expect(home.ledger()[0]).toMatchObject({ type: 'run.start', jail: { widened: [`local:${server.port}`] } });
});

// promise: jail.refused
test('a port that is not captured is refused at once and recorded', async () => {
  const program = 'import socket; socket.create_connection(("203.0.113.7", 4444), 5)';
  const result = await run('python3', '-c', program);
  expect(result.stderr).toContain('ConnectionRefusedError');
  expect(home.ledger()).toContainEqual(
    expect.objectContaining({ type: 'refused', proto: 'tcp', address: '203.0.113.7', port: 4444 }),
  );
});

// promise: jail.trust
test('after all that the machine trusts what it trusted before, and gate is not among it', async () => {
  expect(trusted).not.toBe('');
  expect(trustedHere()).toBe(trusted);
  const { stdout: path } = await home.gate(['ca', 'path']);
  const [, own = ''] = readFileSync(path.trim(), 'utf8').split('\n');
  expect(own).toMatch(/^MII/);
  for (const bundle of bundlesHere()) expect(readFileSync(bundle, 'utf8')).not.toContain(own);
});

// promise: verify, ledger.chain, ledger.body, read.runs, cmd.json
test('gate verify finds all of it whole, and gate runs lists it', async () => {
  const verdict = await home.gate(['verify', '--json']);
  expect(verdict.exitCode).toBe(0);
  expect(JSON.parse(verdict.stdout)).toMatchObject({ ok: true });
  const listed = await home.gate(['runs', '--json']);
  const runs = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { run: string; state: string });
  expect(runs.map(({ run: id }) => id)).toEqual(home.runs());
  expect(runs.every(({ state }) => state === 'closed')).toBe(true);
});

// promise: ledger.tamper, exit.others
test('one changed byte in a ledger is noticed', async () => {
  const other = testHome();
  await other.gate(['run', ...origin.runOptions, '--', ...bare('curl', '-sS', 'https://origin.test/kept')]);
  const ledger = other.at(`data/runs/${other.runs()[0]}/ledger.jsonl`);
  const text = readFileSync(ledger, 'utf8');
  chmodSync(ledger, 0o600);
  writeFileSync(ledger, text.replace('/kept', '/kepT'));
  const verdict = await other.gate(['verify', 'last']);
  expect(verdict.exitCode).toBe(1);
  expect(verdict.stdout).toContain('edited_line');
  other.remove();
});

/** A repository as plain files behind TLS: git's "dumb" protocol needs no program on the server. */
async function startGitOrigin(where: TestHome): Promise<HttpsOrigin> {
  const work = join(where.dir, 'work');
  const bareRepository = join(where.dir, 'www', 'repo.git');
  mkdirSync(work);
  writeFileSync(join(work, 'hello.txt'), 'hello from a repository\n');
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: work,
      env: {
        ...where.env,
        GIT_AUTHOR_NAME: 't',
        GIT_AUTHOR_EMAIL: 't@t',
        GIT_COMMITTER_NAME: 't',
        GIT_COMMITTER_EMAIL: 't@t',
      },
      stdio: 'pipe',
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('clone', '-q', '--bare', work, bareRepository);
  git('-C', bareRepository, 'update-server-info');
  return startHttpsOrigin('git.test', (request, response) => {
    const path = join(where.dir, 'www', new URL(request.url ?? '/', 'https://git.test').pathname);
    if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
}
