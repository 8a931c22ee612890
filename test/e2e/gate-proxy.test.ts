import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { echoText } from '../helpers/https-origin.ts';
import { startGate, within } from '../helpers/shell.ts';

const { home, origin } = await homeAndOrigin('origin.test');

interface Running {
  readonly pid: number;
  readonly url: string;
  /** Variables that it said to set. */
  readonly env: Readonly<Record<string, string>>;
  stop(
    signal: NodeJS.Signals,
  ): Promise<{ code: number | null; signal: string | null; out: string; err: string }>;
}

/** Starts `gate proxy` and waits for its first line. */
async function startProxy(...options: string[]): Promise<Running> {
  return startProxyWith({}, ...options);
}

async function startProxyWith(
  around: Readonly<Record<string, string>>,
  ...options: string[]
): Promise<Running> {
  const place = { ...home, env: { ...home.env, TMPDIR: home.dir, ...around } };
  const started = startGate(place, ['proxy', ...origin.runOptions, ...options]);
  await started.says(/\n/);
  await started.tells(/Ctrl-C/);
  const env = Object.fromEntries(
    [...started.stderr().matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  return {
    pid: started.pid,
    url: /^listening on (\S+)\n/.exec(started.stdout())?.[1] ?? '',
    env,
    stop: async (signal) => {
      started.child.kill(signal);
      const { code, signal: by, stdout, stderr } = await started.ended;
      return { code, signal: by, out: stdout.toString(), err: stderr };
    },
  };
}

const curl = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  execa('curl', ['-sS', ...args], {
    env: { ...home.env, ...env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
  });

describe('gate proxy', () => {
  // promise: proxy.command, run.label
  test('says where it listens, records a tool that was started elsewhere, and ends with 0', async () => {
    const proxy = await startProxy('--label', 'tool=curl');
    const { stdout, stderr } = await curl(proxy.env, '-d', 'sent', 'https://origin.test/elsewhere');
    expect({ stdout, stderr }).toEqual({ stdout: echoText('POST', '/elsewhere', 'sent'), stderr: '' });
    const { code, signal, out, err } = await proxy.stop('SIGINT');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(out).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n$/);
    expect(err).toMatch(/gate: 1 exchange, 1 host, 1 high flag \(run \w{6}, widened: no jail\)[^\n]*\n$/);
    const records = home.ledger();
    expect(records[0]).toMatchObject({
      argv: expect.arrayContaining(['gate', 'proxy', '--resolve', '--label', 'tool=curl']),
      mode: 'permissive',
      jail: { platform: 'none' },
      labels: { tool: 'curl' },
    });
    expect(records.find((each) => each.type === 'request')).toMatchObject({
      via: 'proxy',
      host: 'origin.test',
    });
    expect(records.at(-1)).toMatchObject({ type: 'run.end', exitCode: 0 });
    expect((await home.gate(['verify', 'last'])).exitCode).toBe(0);
  });

  test('ends with 0 on SIGTERM, also in the middle of an answer, which is recorded as such', async () => {
    const proxy = await startProxy();
    const slow = curl(proxy.env, '-T', '-', 'https://origin.test/never');
    expect(await within(10_000, () => home.ledger().some((each) => each.type === 'request'))).toBe(true);
    expect(await proxy.stop('SIGTERM')).toMatchObject({ code: 0 });
    // It still waits for its own input, which never comes.
    slow.kill('SIGKILL');
    await slow;
    expect(home.ledger().find((each) => each.type === 'end')).toMatchObject({ outcome: 'gate_stopped' });
  });

  test('listens on the port it is given, and on loopback only', async () => {
    const port = await freePort();
    const proxy = await startProxy('--port', String(port));
    expect(proxy.url).toBe(`http://127.0.0.1:${port}`);
    expect(await listensOn(proxy.pid)).toEqual([`127.0.0.1:${port}`]);
    const second = await home.gate(['proxy', '--port', String(port)]);
    expect(second).toMatchObject({ exitCode: 125, stdout: '' });
    expect(second.stderr).toContain(`port ${port} is in use`);
    await proxy.stop('SIGTERM');
  });

  test('decides by lists and options, and is no way to itself or to what it is asked plainly', async () => {
    const proxy = await startProxy('--enforce', '--allow', 'origin.test', '--deny', 'bad.test');
    const status = async (...args: string[]) =>
      (await curl(proxy.env, '-o', '/dev/null', '-w', '%{http_code}', ...args)).stdout;
    expect(await status('https://origin.test/')).toBe('200');
    expect(await status('https://bad.test/')).toBe('403');
    expect(await status('https://unknown.test/')).toBe('403');
    expect(await status('--noproxy', '', `${proxy.url}/`)).toBe('403');
    // As a page in a browser could ask, whatever name it has for this address.
    expect(await status('--noproxy', '*', `${proxy.url}/`)).toBe('400');
    await proxy.stop('SIGTERM');
  });

  // promise: upstream.errors
  test.each(['127.0.0.1', 'localhost', '[::1]'])(
    'a proxy variable that names it as %s, as a shell still has it, leads nowhere in a circle',
    async (host) => {
      const port = await freePort();
      const url = `http://${host}:${port}`;
      const proxy = await startProxyWith({ HTTP_PROXY: url, HTTPS_PROXY: url }, '--port', String(port));
      for (const target of ['http://elsewhere.test/', 'https://elsewhere.test/']) {
        const { stdout } = await curl(proxy.env, '-m', '20', '-w', '%{http_code}', target);
        expect(stdout).toContain('"reason":"upstream_proxy"');
        expect(stdout).toContain(`the proxy ${url}: it is this gate itself`);
        expect(stdout).toContain('env -u');
        expect(stdout).toMatch(/502$/);
      }
      const { err } = await proxy.stop('SIGTERM');
      expect(err).toMatch(/gate: 2 exchanges, 1 host/);
    },
  );

  test.each([
    ['--port', '0'],
    ['--port', '70000'],
    ['--prot', '1'],
  ])('%s %s is wrong usage', async (...args) => {
    const result = await home.gate(['proxy', ...args]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/^gate: /);
  });
});

/** The addresses on which a process of this machine's own network listens. */
async function listensOn(pid: number): Promise<string[]> {
  const { stdout } = await execa('sh', ['-c', 'ss -Hlntup']);
  const own = stdout.split('\n').filter((line) => line.includes(`pid=${pid},`));
  return own.map((line) => line.split(/\s+/)[4] ?? '');
}

describe('gate run', () => {
  const started = (...options: string[]) => {
    const command = ['sh', '-c', 'echo ready; exec sleep 60'];
    return startGate(home, ['run', '-q', ...options, '--', ...command]);
  };

  test('listens nowhere on this machine while its command is in the jail', async () => {
    const run = started();
    await run.says(/^ready$/m);
    const pids = [run.pid, ...below(run.pid)];
    expect(pids.length).toBeGreaterThan(2);
    for (const pid of pids) expect(await listensOn(pid)).toEqual([]);
    run.child.kill('SIGTERM');
    await run.ended;
  });

  test('and without a jail on one port of loopback', async () => {
    const run = started('--mode', 'permissive');
    await run.says(/^ready$/m);
    expect(await listensOn(run.pid)).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    run.child.kill('SIGTERM');
    await run.ended;
  });
});

function below(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children.filter(Boolean).flatMap((child) => [Number(child), ...below(Number(child))]);
}
