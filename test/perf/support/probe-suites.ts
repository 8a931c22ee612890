import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startVitest, type TestCase } from 'vitest/node';
import type { ProbeNotes } from '../../helpers/other-proxy.ts';

/** An assertion or an exception of a test. */
export interface Failure {
  readonly message: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

/** What came of a case, without a word on what it means. */
export interface Outcome {
  /** The test file, without `.test.ts`. */
  readonly suite: string;
  /** The names of its groups and its own. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly notes: ProbeNotes | undefined;
  readonly errors: readonly Failure[];
}

const ROOT = join(import.meta.dirname, '../../..');
/** The suites that go through CONNECT, and how the page calls them, in its order. */
export const SUITES: Readonly<Record<string, string>> = {
  'proxy-http1': 'HTTP/1.1',
  'proxy-http2': 'HTTP/2',
  'proxy-websocket': 'WebSocket',
  'proxy-edges': 'Edges of HTTP/1.1 and HTTP/2',
  'proxy-probes': 'Hostile and unusual input',
};

/** Runs the suites of the engine through CONNECT, against gate or another proxy. */
export async function runSuites(proxy: 'gate' | 'http-mitm-proxy'): Promise<Outcome[]> {
  process.env['GATE_TEST_ARRIVAL'] = 'connect';
  if (proxy === 'gate') delete process.env['GATE_TEST_PROXY'];
  else process.env['GATE_TEST_PROXY'] = proxy;
  const files = filesOf();
  const vitest = await startVitest('test', files, {
    root: ROOT,
    project: ['integration'],
    watch: false,
    reporters: [{}],
    // What another proxy's hang-ups leave behind in a test is that test's matter.
    dangerouslyIgnoreUnhandledErrors: true,
  });
  const outcomes = vitest.state
    .getTestModules()
    .flatMap((module) => [...module.children.allTests()].map((test) => outcomeOf(test, module.moduleId)));
  await vitest.close();
  process.exitCode = 0;
  return outcomes;
}

/** The files of the suites; throws where they are not those that gate itself is tested with through CONNECT. */
function filesOf(): string[] {
  const folder = join(ROOT, 'test/integration');
  const all = readFileSync(join(folder, 'proxy-by-connect.test.ts'), 'utf8');
  const named = [...all.matchAll(/import\('\.\/(.+)\.test\.ts'\)/g)].map(([, suite = '']) => suite);
  if (named.toSorted().join() !== Object.keys(SUITES).toSorted().join())
    throw new Error(`proxy-by-connect.test.ts has ${named.join(', ')}: give each a title in SUITES`);
  return named.map((suite) => join(folder, `${suite}.test.ts`));
}

function outcomeOf(test: TestCase, file: string): Outcome {
  const { state, errors } = test.result();
  if (state === 'pending') throw new Error(`${test.fullName} did not run`);
  return {
    suite: basename(file, '.test.ts'),
    name: test.fullName.replaceAll(' > ', ': '),
    state,
    notes: test.meta().probe,
    errors: errors ?? [],
  };
}
