import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { exchangeOf, type GateResult, type TestHome, testHome } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';

/** Package managers ask a registry that looks like a public one, and are told what they may not ask. */
interface Client {
  readonly name: string;
  readonly program: string;
  readonly command: (host: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it says of the sample package. */
  readonly says: RegExp;
  /** The request by which it finds it. */
  readonly path: string;
  readonly deniedExit: number;
  readonly denied: RegExp;
}

const SHA = '0123456789012345678901234567890123456789';
const PAGES: Readonly<Record<string, string>> = {
  '/simple/gate-sample/':
    '<a href="/files/gate_sample-1.2.3-py3-none-any.whl">gate_sample-1.2.3-py3-none-any.whl</a>',
  '/gate-sample': JSON.stringify({
    name: 'gate-sample',
    'dist-tags': { latest: '1.2.3' },
    versions: { '1.2.3': { name: 'gate-sample', version: '1.2.3', dist: {} } },
  }),
  '/mod.test/sample/@v/list': 'v1.2.3\n',
  '/mod.test/sample/@v/v1.2.3.info': '{"Version":"v1.2.3"}',
  '/mod.test/sample/@v/v1.2.3.mod': 'module mod.test/sample\n',
  '/index/config.json': '{"dl":"https://unused.test/dl"}',
  '/index/ga/te/gate-sample': `${JSON.stringify({ name: 'gate-sample', vers: '1.2.3', deps: [], cksum: SHA.slice(0, 32).repeat(2), features: {}, yanked: false })}\n`,
  '/repo.git/info/refs': `${SHA}\trefs/heads/main\n`,
  '/repo.git/HEAD': 'ref: refs/heads/main\n',
};

const CLIENTS: readonly Client[] = [
  {
    name: 'git ls-remote',
    program: 'git',
    command: (host) => ['git', 'ls-remote', `https://${host}/repo.git`],
    says: new RegExp(`${SHA}\trefs/heads/main`),
    path: '/repo.git/info/refs?service=git-upload-pack',
    deniedExit: 128,
    denied: /The requested URL returned error: 403/,
  },
  {
    name: 'pip index versions',
    program: 'pip',
    command: (host) => ['pip', 'index', 'versions', '--index-url', `https://${host}/simple`, 'gate-sample'],
    says: /gate-sample \(1\.2\.3\)/,
    path: '/simple/gate-sample/',
    deniedExit: 1,
    // pip tells of a page that it may not read only with -v; who blocked it stands in gate's own line.
    denied: /No matching distribution[\s\S]*gate: .* blocked/,
  },
  {
    name: 'npm view',
    program: 'npm',
    command: (host) => ['npm', 'view', 'gate-sample', 'version', '--registry', `https://${host}/`],
    says: /^1\.2\.3$/m,
    path: '/gate-sample',
    deniedExit: 1,
    denied: /E403/,
  },
  {
    name: 'go list of a module',
    program: 'go',
    command: (host) => ['env', `GOPROXY=https://${host}`, 'go', 'list', '-m', '-versions', 'mod.test/sample'],
    env: { GOFLAGS: '-mod=mod', GONOSUMDB: '*', GOSUMDB: 'off', GOTOOLCHAIN: 'local' },
    says: /mod\.test\/sample v1\.2\.3/,
    path: '/mod.test/sample/@v/list',
    deniedExit: 1,
    denied: /403 Forbidden/,
  },
  {
    name: 'cargo generate-lockfile',
    program: 'cargo',
    command: (host) => [
      'cargo',
      '--config',
      `registries.sample.index="sparse+https://${host}/index/"`,
      'generate-lockfile',
      '--manifest-path',
      'crate/Cargo.toml',
    ],
    says: /Locking|^$/,
    path: '/index/ga/te/gate-sample',
    deniedExit: 101,
    denied: /403/,
  },
];

let home: TestHome;
let origin: HttpsOrigin;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('*.registry.test', (request, response) => {
    const page = PAGES[new URL(request.url ?? '/', 'https://registry.test').pathname];
    response
      .writeHead(page === undefined ? 404 : 200, { 'content-type': typeOf(request.url ?? '') })
      .end(page);
  });
  mkdirSync(join(home.dir, 'crate', 'src'), { recursive: true });
  writeFileSync(join(home.dir, 'crate', 'src', 'lib.rs'), '');
  writeFileSync(
    join(home.dir, 'crate', 'Cargo.toml'),
    '[package]\nname = "user"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ngate-sample = { version = "1", registry = "sample" }\n',
  );
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

const typeOf = (url: string) => (url.startsWith('/simple') ? 'text/html' : 'application/json');

/** Where rustup has put the toolchain: its own cargo looks for it in the home that the test takes away. */
function withToolchain(): Record<string, string> {
  const path = home.env['PATH'] ?? '';
  if (findProgram('rustup') === undefined) return { PATH: path };
  const cargo = execFileSync('rustup', ['which', 'cargo'], { encoding: 'utf8' }).trim();
  return { PATH: `${dirname(cargo)}:${path}` };
}

describe.each(CLIENTS)('$name', (client) => {
  const skip = (context: TestContext) =>
    context.skip(findProgram(client.program) === undefined, `no ${client.program} here`);
  const run = (host: string, ...options: string[]): Promise<GateResult> => {
    const pinned = ['--resolve', `${host}:443:127.0.0.1:${origin.port}`, ...origin.runOptions.slice(2)];
    const env = { ...client.env, ...(client.program === 'cargo' ? withToolchain() : {}) };
    return home.gate(['run', ...pinned, ...options, '--', ...client.command(host)], { env });
  };

  // promise: deny.answer, deny.silence
  test('is told of a denied registry in its own words', async (context) => {
    skip(context);
    const result = await run('bad.registry.test', '--deny', '*.registry.test');
    expect(result.stdout + result.stderr).toMatch(client.denied);
    expect(result.exitCode).toBe(client.deniedExit);
    expect(home.ledger()).toContainEqual(
      expect.objectContaining({
        type: 'request',
        host: 'bad.registry.test',
        decision: expect.objectContaining({ verdict: 'deny', reason: 'denylisted' }),
      }),
    );
  });

  // promise: run.capture, jail.trust-env
  test('gets what it asks for', async (context) => {
    skip(context);
    const result = await run('good.registry.test');
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(result.stdout + result.stderr).toMatch(client.says);
    expect(exchangeOf(home.ledger(), client.path)).toMatchObject({
      request: { host: 'good.registry.test', port: 443, decision: { verdict: 'forward' } },
      response: { status: 200 },
      end: { outcome: 'complete' },
    });
  });
});
