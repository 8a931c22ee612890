import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { type LookUp, RESOLVERS, type Resolver, readLookUps } from '../helpers/resolvers.ts';
import { missing } from '../helpers/tools.ts';

/** No resolver waits in the jail, whatever it asks for besides what it is told. */
let home: TestHome;

beforeAll(() => {
  home = testHome();
  for (const resolver of RESOLVERS) if (missing(resolver, home.env) === undefined) resolver.setup?.(home.dir);
});
afterAll(() => home.remove());

/** Their timers begin at a second and a half; a look-up that is merely slow, on a busy machine, is far from that. */
const WAITED_MS = 1000;
const USUAL_MS = 100;

/** Names that nobody asked for before: many, one label, deep ones, one that ends with a dot. */
const NAMES = [
  ...Array.from({ length: 10 }, (_, n) => `n${n}.resolver.test`),
  ...['single', 'a.b.c.d.e.resolver.test', 'Mixed.Resolver.Test', 'dot.resolver.test.', '_x.resolver.test'],
];

async function lookUp(resolver: Resolver, names: readonly string[]): Promise<LookUp[]> {
  const result = await home.gate(['run', '--', ...resolver.lookUp(names, home.dir)]);
  expect(result).toMatchObject({ exitCode: 0 });
  return readLookUps(result.stdout);
}

function expectNoWaiting(found: readonly LookUp[]): void {
  const times = found.map(({ ms }) => ms).sort((a, b) => a - b);
  expect(times.at(-1), JSON.stringify(found)).toBeLessThan(WAITED_MS);
  expect(times[times.length >> 1], JSON.stringify(found)).toBeLessThan(USUAL_MS);
}

describe.each(RESOLVERS)('$name', (resolver) => {
  const skipWhere = (context: TestContext) => {
    const why = missing(resolver, home.env);
    context.skip(why !== undefined, why);
  };

  // promise: jail.dns
  test('has an address for every name at once, and the same one for the same name', async (context) => {
    skipWhere(context);
    const found = await lookUp(resolver, [...NAMES, ...NAMES]);
    expect(found.map(({ name }) => name)).toEqual([...NAMES, ...NAMES]);
    expect(new Set(found.map(({ address }) => address)).size).toBe(NAMES.length);
    for (const { name, address } of found) expect(address, name).toMatch(/^198\.1[89]\.\d+\.\d+$/);
    expectNoWaiting(found);
  });
});

// promise: jail.dns-pool
test('each is told at once that the pool is used up, and keeps what it has', async () => {
  const here = RESOLVERS.filter((resolver) => missing(resolver, home.env) === undefined);
  const known = here.filter((resolver) => resolver.waitsOnServFail === undefined);
  const fill = Array.from({ length: POOL_SIZE }, (_, n) => `fill${n}.resolver.test`);
  const asked = ['fill0.resolver.test', ...NAMES, 'fill9.resolver.test'];
  const [filler, ...others] = [RESOLVERS.find(({ name }) => name === 'python'), ...known];
  const commands = [filler?.lookUp(fill, home.dir), ...others.map((each) => each?.lookUp(asked, home.dir))];
  writeFileSync(join(home.dir, 'commands.json'), JSON.stringify(commands));
  makeConfig(`version = 1\n[dns]\npool = "10.77.0.0/24"\n`);
  const result = await home.gate(['run', '--', 'python3', '-c', ONE_AFTER_THE_OTHER, 'commands.json']);
  expect(result).toMatchObject({ exitCode: 0 });
  const found = readLookUps(result.stdout);
  expect(found.slice(0, POOL_SIZE).map(({ address }) => address)).not.toContain(undefined);
  const one = [found[0]?.address, ...NAMES.map(() => undefined), found[9]?.address];
  const rest = found.slice(POOL_SIZE);
  expect(rest.map(({ address }) => address)).toEqual(known.flatMap(() => one));
  expectNoWaiting(rest);
  const refused = home.ledger().filter((each) => each['reason'] === 'dns_pool_exhausted');
  expect(refused).toHaveLength(1);
});

/** What a pool of /24 has to give: its first sixteen addresses and its last are not given. */
const POOL_SIZE = 239;
const ONE_AFTER_THE_OTHER = `import json, subprocess, sys
for command in json.load(open(sys.argv[1])): subprocess.run(command, check=True)`;

function makeConfig(text: string): void {
  const config = home.at('config');
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(join(config, 'config.toml'), text);
}
