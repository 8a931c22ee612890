import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { exchangeOf, type GateResult } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';
import { CLIENTS, PAGES, pageType, type RegistryClient } from '../helpers/registries.ts';
import { missing } from '../helpers/tools.ts';

/** Package managers ask a registry that looks like a public one, and are told what they may not ask. */
const { home, origin } = await homeAndOrigin('*.registry.test', (request, response) => {
  const path = new URL(request.url ?? '/', 'https://registry.test').pathname;
  response.writeHead(PAGES[path] === undefined ? 404 : 200, { 'content-type': pageType(path) });
  response.end(PAGES[path]);
});

/** Where rustup has put the toolchain: its own cargo looks for it in the home that the test takes away. */
function pathFor({ program }: RegistryClient): string {
  const path = home.env['PATH'] ?? '';
  if (program !== 'cargo' || findProgram('rustup') === undefined) return path;
  const cargo = execFileSync('rustup', ['which', 'cargo'], { encoding: 'utf8' }).trim();
  return `${dirname(cargo)}:${path}`;
}

/** A folder of its own, so that no client finds what another has left. */
function projectOf(client: RegistryClient, host: string): string {
  const folder = mkdtempSync(join(home.dir, 'project-'));
  for (const [name, content] of Object.entries(client.files?.(host) ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

interface Mode {
  readonly mode: string;
  readonly bare: boolean;
}

const MODES: readonly Mode[] = [
  { mode: 'with its variables', bare: false },
  { mode: 'without any variable', bare: true },
];

function run(
  client: RegistryClient,
  host: string,
  { bare }: Mode,
  ...options: string[]
): Promise<GateResult> {
  const pinned = ['--resolve', `${host}:443:127.0.0.1:${origin.port}`, ...origin.runOptions.slice(2)];
  const env = { ...client.env?.(host), PATH: pathFor(client) };
  const own = Object.entries({ HOME: home.dir, ...env }).map(([name, value]) => `${name}=${value}`);
  const command = [...(bare ? ['env', '-i', ...own] : []), ...client.command(host)];
  return home.gate(['run', ...pinned, ...options, '--', ...command], { env, cwd: projectOf(client, host) });
}

describe.each(CLIENTS)('$name', (client) => {
  const skip = (context: TestContext, { bare }: Mode) => {
    const why = missing({ needs: [client.program], check: client.check ?? [] }, home.env);
    context.skip(why !== undefined, why);
    context.skip(bare && client.trusts === 'variables', 'brings its own certificates');
  };

  // promise: deny.answer, deny.silence
  test.for(MODES)('is told of a denied registry in its own words, $mode', async (mode, context) => {
    skip(context, mode);
    const result = await run(client, 'bad.registry.test', mode, '--deny', '*.registry.test');
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

  // promise: run.capture, jail.trust, jail.trust-env
  test.for(MODES)('gets what it asks for, $mode', async (mode, context) => {
    skip(context, mode);
    const result = await run(client, 'good.registry.test', mode);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(result.stdout + result.stderr).toMatch(client.says);
    expect(exchangeOf(home.ledger(), client.path)).toMatchObject({
      request: { host: 'good.registry.test', port: 443, decision: { verdict: 'forward' } },
      response: { status: 200 },
      end: { outcome: 'complete' },
    });
  });
});
