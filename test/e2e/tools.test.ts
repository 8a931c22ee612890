import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { echoText } from '../helpers/https-origin.ts';
import { exchangeOf, type GateResult } from '../helpers/product.ts';
import { missing, TOOLS } from '../helpers/tools.ts';

/** What people's tools do in the jail, with gate's variables and without a single one. */
const { home, origin } = await homeAndOrigin('*.tools.test');

beforeAll(() => {
  for (const tool of TOOLS) if (missing(tool, home.env) === undefined) tool.setup?.(home.dir);
});

/** The command line with nothing of gate's in its environment. */
const withoutVariables = (command: readonly string[]) => {
  const own = ['PATH', 'HOME'].map((name) => `${name}=${home.env[name]}`);
  return ['env', '-i', ...own, ...command];
};

const MODES = [
  { mode: 'with its variables', wrap: (command: readonly string[]) => command, bare: false },
  { mode: 'without any variable', wrap: withoutVariables, bare: true },
];

function run(host: string, options: readonly string[], command: readonly string[]): Promise<GateResult> {
  const pinned = ['--resolve', `${host}:443:127.0.0.1:${origin.port}`, ...origin.runOptions.slice(2)];
  return home.gate(['run', ...pinned, ...options, '--', ...command]);
}

describe.each(TOOLS)('$name', (tool) => {
  const skipWhere = (context: TestContext, noVariables: boolean) => {
    const why = missing(tool, home.env);
    context.skip(why !== undefined, why);
    context.skip(noVariables && tool.trusts === 'variables', 'brings its own certificates');
  };

  // promise: run.capture, jail.trust, jail.trust-env
  test.for(MODES)('reaches an allowed origin $mode', async ({ wrap, bare }, context) => {
    skipWhere(context, bare);
    const url = new URL('https://good.tools.test/page');
    const result = await run(url.hostname, [], wrap(tool.get(url, home.dir)));
    expect(result).toMatchObject({ exitCode: 0, stdout: echoText('GET', '/page', '') });
    expect(exchangeOf(home.ledger(), '/page')).toMatchObject({
      request: { host: 'good.tools.test', port: 443, method: 'GET', decision: { verdict: 'forward' } },
      response: { status: 200 },
      end: { outcome: 'complete' },
    });
  });

  // promise: deny.answer, deny.silence
  test.for(MODES)('tells of a denied origin $mode', async ({ wrap, bare }, context) => {
    skipWhere(context, bare);
    const url = new URL('https://bad.tools.test/secret');
    const before = origin.seen.length;
    const result = await run(url.hostname, ['--deny', url.hostname], wrap(tool.get(url, home.dir)));
    expect(result.stdout + result.stderr).toMatch(tool.denied);
    expect(result.exitCode).toBe(tool.deniedExit);
    expect(origin.seen.length).toBe(before);
    expect(exchangeOf(home.ledger(), '/secret')).toMatchObject({
      request: { host: 'bad.tools.test', decision: { verdict: 'deny', reason: 'denylisted' } },
      end: { outcome: 'denied' },
    });
  });
});
