import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echoText, type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { GATE, type TestHome, testHome } from '../helpers/product.ts';

/** The command without a jail: what is left of the promises, and what is said about the rest. */
let home: TestHome;
let tmp: string;
let origin: HttpsOrigin;

beforeAll(async () => {
  home = testHome();
  tmp = join(home.dir, 'tmp');
  mkdirSync(tmp);
  origin = await startHttpsOrigin('origin.test');
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

const inMode = (mode: string, command: readonly string[], options: readonly string[] = []) =>
  home.gate(['run', '--mode', mode, ...origin.runOptions, ...options, '--', ...command], {
    env: { TMPDIR: tmp },
  });
const permissive = (...command: string[]) => inMode('permissive', command);
const recordOf = (type: string) => home.ledger().find((each) => each.type === type);
/** gate as a child of the test, with what it has printed so far. */
const background = (...command: string[]) =>
  spawn(process.execPath, [GATE, 'run', '--mode', 'permissive', '--', ...command], {
    env: { ...home.env, TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

describe('gate run --mode permissive', () => {
  // promise: run.modes
  test('leads tools to the proxy by their variables, and records what they send', async () => {
    const result = await permissive('curl', '-sS', '-d', 'sent', 'https://origin.test/curl');
    expect(result).toMatchObject({ exitCode: 0, stdout: echoText('POST', '/curl', 'sent') });
    expect(recordOf('run.start')).toMatchObject({
      mode: 'permissive',
      jail: { platform: 'none', features: [], widened: [] },
    });
    expect(recordOf('request')).toMatchObject({ via: 'proxy', host: 'origin.test', method: 'POST' });
    expect(recordOf('end')).toMatchObject({ outcome: 'complete' });
    expect(result.stderr).toMatch(/^gate: 1 exchange, 1 host, 1 high flag \(run \w{6}, widened: no jail\)/);
  });

  test.each([
    [
      'python3 urllib',
      ['python3', '-c', 'import urllib.request as u;u.urlopen("https://origin.test/x").read()'],
    ],
    ['git', ['sh', '-c', 'git ls-remote https://origin.test/repo; true']],
  ])('%s presents the password by itself', async (_, command) => {
    await permissive(...command);
    expect(recordOf('request')).toMatchObject({ via: 'proxy', host: 'origin.test' });
  });

  test('a denied host is answered inside TLS, as in the jail', async () => {
    const result = await inMode('permissive', ['curl', '-sSi', 'https://bad.test/'], ['--deny', 'bad.test']);
    expect(result.stdout).toContain('x-gate-block: denylisted');
  });

  test('a proxy request without the password, or with another, is 407 and recorded', async () => {
    const script = [
      'bare=$(echo "$HTTPS_PROXY" | sed "s#//.*@#//#")',
      'curl -s -o /dev/null -w "%{http_connect} " -x "$bare" https://origin.test/none',
      'curl -s -o /dev/null -w "%{http_connect} " -x "$bare" -U gate:wrong https://origin.test/wrong',
      'curl -s -o /dev/null -w "%{http_code} " -x "$bare" http://origin.test/plain',
      'curl -s -o /dev/null -w "%{http_code}" https://origin.test/right',
    ].join('\n');
    expect((await permissive('sh', '-c', script)).stdout).toBe('407 407 407 200');
    const refused = home.ledger().filter((each) => each.type === 'refused');
    const times = (reason: string) =>
      refused
        .filter((each) => each['reason'] === reason)
        .reduce((sum, each) => sum + Number(each['count']), 0);
    expect([times('proxy_auth_missing'), times('proxy_auth_wrong')]).toEqual([2, 1]);
    expect(home.ledger().filter((each) => each.type === 'request')).toHaveLength(1);
  });

  test('the password is in no record, and is another one for each run', async () => {
    const print = 'echo "$HTTP_PROXY"; curl -s -o /dev/null http://origin.test/plain';
    const passwords = [];
    for (let run = 0; run < 2; run += 1) {
      const { stdout } = await permissive('sh', '-c', print);
      const password = /\/\/gate:([^@]{20,})@127\.0\.0\.1:/.exec(stdout)?.[1] ?? 'none';
      expect(password).not.toBe('none');
      const sent = Buffer.from(`gate:${password}`).toString('base64');
      const ledger = JSON.stringify(home.ledger());
      expect(ledger).toContain('/plain');
      expect(ledger).not.toContain(password);
      expect(ledger).not.toContain(sent);
      passwords.push(password);
    }
    expect(passwords[0]).not.toBe(passwords[1]);
  });

  test('gate listens on loopback only, and is no destination itself', async () => {
    const script = [
      'port=$(echo "$HTTPS_PROXY" | sed "s#.*:##")',
      'ss -Hltnp | grep "pid=$PPID," | awk \'{print $4}\' | sed s/:$port/:same/',
      'curl -s -o /dev/null -w "%{http_code}" --noproxy "" "http://127.0.0.1:$port/"',
    ].join('\n');
    const { stdout } = await inMode('permissive', ['sh', '-c', script], ['--allow', 'localhost:1']);
    expect(stdout).toBe('127.0.0.1:same\n403');
  });

  test('what goes past the proxy is not touched', async () => {
    const server = createServer((_: IncomingMessage, response) => response.end('direct'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect((await permissive('curl', '-sS', `http://127.0.0.1:${port}/`)).stdout).toBe('direct');
    expect(recordOf('request')).toBeUndefined();
    server.close();
  });
});

describe('the certificate files of a run without a jail', () => {
  const left = () => readdirSync(tmp).filter((name) => name.startsWith('gate-trust-'));

  test('are in a folder of its own, which is gone afterwards', async () => {
    const { stdout } = await permissive(
      'sh',
      '-c',
      'dirname "$SSL_CERT_FILE"; stat -c %a "$(dirname "$SSL_CERT_FILE")"',
    );
    expect(stdout).toMatch(new RegExp(`^${tmp}/gate-trust-\\w+\n700\n$`));
    expect(left()).toEqual([]);
  });

  test('of a killed run are removed by the next one, and those of a living one are not', async () => {
    const killed = background('sh', '-c', 'echo $$; exec sleep 60');
    const living = background('sh', '-c', 'echo $$; exec sleep 60');
    const [orphan] = await Promise.all([firstLine(killed), firstLine(living)]);
    expect(left()).toHaveLength(2);
    killed.kill('SIGKILL');
    await ended(killed);
    expect((await permissive('true')).exitCode).toBe(0);
    expect(left()).toHaveLength(1);
    expect(statSync(join(tmp, left()[0] ?? '')).isDirectory()).toBe(true);
    living.kill('SIGTERM');
    await ended(living);
    expect(left()).toEqual([]);
    process.kill(Number(orphan), 'SIGKILL');
  });
});

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) =>
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
  );
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

describe('a command without a jail ends as it would without gate', () => {
  // promise: exit.own, exit.signal, exit.126, exit.127
  test.each([
    ['a code of its own', ['sh', '-c', 'exit 42'], 42],
    ['SIGTERM', ['sh', '-c', 'kill -TERM $$'], 143],
    ['SIGKILL', ['sh', '-c', 'kill -KILL $$'], 137],
    ['not found', ['no-such-command-here'], 127],
    ['a path through a file', ['/etc/passwd/x'], 127],
    ['not executable', ['/etc/passwd'], 126],
    ['a folder', ['/etc'], 126],
  ])('%s', async (_, command, code) => {
    const result = await permissive(...command);
    expect(result.exitCode).toBe(code);
    if (code === 126 || code === 127) expect(result.stderr).toMatch(/^gate: /);
  });

  test('SIGINT ends gate by SIGINT', async () => {
    expect(await permissive('sh', '-c', 'kill -INT $$')).toMatchObject({ signal: 'SIGINT' });
  });

  test('signals to gate reach the command, which answers them itself', async () => {
    const child = background(
      'sh',
      '-c',
      'trap "exit 7" TERM; trap "echo usr" USR1; echo up; while :; do sleep 0.05; done',
    );
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out === 'up\n') child.kill('SIGUSR1');
      if (out === 'up\nusr\n') child.kill('SIGTERM');
    });
    expect(await ended(child)).toEqual({ code: 7, signal: null });
  });
});

describe('gate run --mode best-effort', () => {
  test('is the jail where there can be one, without a word', async () => {
    const result = await inMode('best-effort', ['curl', '-sS', 'https://origin.test/best']);
    expect(result.exitCode).toBe(0);
    expect(recordOf('run.start')).toMatchObject({ mode: 'best-effort', jail: { platform: 'linux' } });
    expect(result.stderr).not.toContain('without a jail');
  });

  test('says in one line, before the command starts, why there is none', async () => {
    // A user namespace of the test's own in which no further one may be made.
    const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
    const gate = [process.execPath, GATE, 'run', '--mode'];
    const withoutJail = (mode: string) =>
      new Promise<{ code: number | null; out: string }>((resolve) => {
        const command = [...gate, mode, '--', 'sh', '-c', 'echo started >&2'];
        const child = spawn('unshare', ['-Ur', 'sh', '-c', forbid, 'sh', ...command], {
          env: { ...home.env, TMPDIR: tmp },
        });
        let out = '';
        child.stderr.on('data', (chunk: Buffer) => {
          out += chunk.toString();
        });
        child.on('close', (code) => resolve({ code, out }));
      });
    expect(await withoutJail('airtight')).toMatchObject({ code: 125 });
    const { code, out } = await withoutJail('best-effort');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^gate: running without a jail, [^\n]*user-namespace[^\n]*\nstarted\ngate: 0 exchanges/,
    );
    expect(recordOf('run.start')).toMatchObject({ mode: 'best-effort', jail: { platform: 'none' } });
  });

  // promise: exit.125
  test('a mode that does not exist is wrong usage', async () => {
    const result = await inMode('lax', ['true']);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain('airtight, best-effort, permissive');
  });
});
