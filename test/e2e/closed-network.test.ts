import { spawnSync } from 'node:child_process';
import { execa } from 'execa';
import { beforeEach, expect, test } from 'vitest';
import type { Scene, Told } from '../helpers/closed-network.ts';

/** A network in which everything that gate asks of the outside can be watched, the names too. */
const UNSHARE =
  process.geteuid?.() === 0
    ? ['unshare', '-nm', '--propagation', 'private']
    : ['unshare', '-Unm', '--map-current-user', '--keep-caps'];
const WHY_NOT =
  spawnSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), 'ip', 'link', 'set', 'lo', 'up']).status === 0
    ? undefined
    : 'no network namespace can be made here';

beforeEach((context) => context.skip(WHY_NOT !== undefined, WHY_NOT));

async function play(scene: Scene): Promise<Told> {
  const script = ['node', '--import', 'tsx', 'test/helpers/closed-network.ts', JSON.stringify(scene)];
  const { stdout } = await execa({ timeout: 90_000 })`${[...UNSHARE, ...script]}`;
  return JSON.parse(stdout) as Told;
}

/** A model is asked by curl and by node; a denied host is tried by every way out that a command has. */
const ASK = `
curl -sS -d '{"prompt":"hi"}' https://origin.test/v1/messages
node -e 'fetch("https://origin.test/v1/fetch").then((r) => r.text()).then((t) => process.stdout.write(t))'
curl -s https://bad.test/; curl -s http://bad.test/; curl -s --noproxy '*' https://bad.test/
env -i PATH="$PATH" curl -s https://bad.test/; getent hosts bad.test >/dev/null
node -e 'require("node:dns").resolve4("bad.test", () => {})'
`;

function expectAnswered({ result, askedOrigin }: Told): void {
  expect(result).toMatchObject({ exitCode: 0 });
  expect(result.stdout.match(/"answer":"hello"/g)).toHaveLength(2);
  expect(result.stdout.match(/"reason":"denylisted"/g)).toHaveLength(4);
  expect(askedOrigin).toEqual(['POST origin.test/v1/messages', 'GET origin.test/v1/fetch']);
}

// promise: decide.deny, deny.silence, env.read
test.each([false, true])(
  "through a company's proxy with a CA of its own a model is asked, and no name is looked up but the proxy's; outside names known: %s",
  async (outsideNames) => {
    const told = await play({
      outsideNames,
      proxy: true,
      options: ['--deny', 'bad.test'],
      command: ['sh', '-c', ASK],
    });
    expectAnswered(told);
    expect(told.askedNames).toEqual(['proxy.corp.test']);
    expect(new Set(told.askedProxy)).toEqual(new Set(['CONNECT origin.test:443']));
    expect(JSON.stringify(told.ledger)).not.toContain('corp-secret');
  },
);

// promise: decide.deny, deny.silence
test('without a proxy the denied name is never looked up', async () => {
  const told = await play({
    outsideNames: true,
    proxy: false,
    options: ['--deny', 'bad.test'],
    command: ['sh', '-c', ASK],
  });
  expectAnswered(told);
  expect(told.askedNames).toEqual(['origin.test']);
  const [first] = told.ledger.filter(({ type, outcome }) => type === 'end' && outcome === 'complete');
  const times = ['dnsMs', 'connectMs', 'tlsMs', 'firstByteMs', 'totalMs'] as const;
  expect(Object.keys(first?.['timing'] ?? {}).sort()).toEqual([...times].sort());
  const timing = first?.['timing'] as Record<(typeof times)[number], number>;
  for (const time of times) expect(timing[time], time).toBeGreaterThan(0);
  expect(timing.totalMs).toBeGreaterThanOrEqual(timing.firstByteMs);
});

// promise: decide.enforce
test('enforcing, a name that no list has is never looked up', async () => {
  const told = await play({
    outsideNames: true,
    proxy: false,
    options: ['--enforce', '--allow', 'origin.test'],
    command: ['sh', '-c', 'curl -s https://origin.test/; curl -s https://unlisted.test/'],
  });
  expect(told.result.stdout).toMatch(/"answer":"hello"[\s\S]*"reason":"not_allowlisted"/);
  expect(told.askedNames).toEqual(['origin.test']);
  expect(told.askedOrigin).toEqual(['GET origin.test/']);
});
