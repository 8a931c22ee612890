/** The exit itself: what it forwards, to whom, and under which name. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, expect } from 'vitest';
import { describeProbes } from './harness.ts';
import { PROGRAMS, PYTHON } from './places.ts';
import { ADDRESSES, DENIALS, MISMATCHES, ONLY_INSIDE, RAW, SPELLINGS, zone } from './probes/proxy.ts';
import type { Scene } from './scene.ts';

const started: Array<() => void> = [];
afterAll(() => {
  for (const stop of started) stop();
});

/** A proxy that forwards everything, for the outside half: same requests, nobody who judges. */
async function naiveProxy(scene: Scene): Promise<Record<string, string>> {
  const { facts } = scene;
  const hosts = [
    ['allowed.test:443', `127.0.0.1:${facts['good.port']}`],
    ['allowed.test:80', `127.0.0.1:${facts['goodPlain.port']}`],
    ['other.test:443', `127.0.0.1:${facts['tls4.port']}`],
    ['denied.test:443', `127.0.0.1:${facts['tls4.port']}`],
    ['denied.test:80', `127.0.0.1:${facts['any.port']}`],
  ].map(([name, target]) => `${name}=${target}`);
  const argv = [...scene.prefix, PYTHON, `${PROGRAMS}/naive.py`, ...hosts];
  const child = spawn(argv[0] ?? PYTHON, argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  started.push(() => child.kill('SIGKILL'));
  const port = await new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once('line', resolve),
  );
  return { HTTP_PROXY: `http://127.0.0.1:${port}`, HTTPS_PROXY: `http://127.0.0.1:${port}` };
}

const RESOLVE = [
  'allowed.test:443:127.0.0.1:{good.port}',
  'allowed.test:80:127.0.0.1:{goodPlain.port}',
  'other.test:443:127.0.0.1:{tls4.port}',
  'denied.test:443:127.0.0.1:{tls4.port}',
  'denied.test:80:127.0.0.1:{any.port}',
].flatMap((rule) => ['--resolve', rule]);

const LISTS = ['--allow', 'allowed.test', '--allow', 'other.test', '--deny', 'denied.test'];

const options = {
  staged: true,
  // The name server of the scene is told its own network's address by the scene.
  zone: zone('{far}'),
  outsideEnv: naiveProxy,
  reachable: ['good', 'goodPlain', 'farDns'],
};

describeProbes(
  'through the proxy',
  [...SPELLINGS, ...ADDRESSES, ...MISMATCHES, ...DENIALS, ...ONLY_INSIDE, ...RAW],
  {
    ...options,
    gate: [...RESOLVE, ...LISTS, '--upstream-ca', '{cert}'],
    after: async (scene) => {
      const hits = await scene.hits();
      const good = hits.filter((hit) => hit.target === 'good' && /GET \/the-allowed-host/.test(hit.data));
      expect(good.length, 'the control reached its sink on both sides').toBe(2);
    },
  },
);
