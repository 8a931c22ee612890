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
/** In the order of the page. */
export const SUITES: Readonly<Record<string, string>> = {
  'proxy-http1': 'HTTP/1.1',
  'proxy-http2': 'HTTP/2',
  'proxy-websocket': 'WebSocket',
  'proxy-probes': 'Hostile and unusual input',
};

/** Runs the suites of the engine through CONNECT, against gate or another proxy. */
export async function runSuites(proxy: 'gate' | 'http-mitm-proxy'): Promise<Outcome[]> {
  process.env['GATE_TEST_ARRIVAL'] = 'connect';
  if (proxy === 'gate') delete process.env['GATE_TEST_PROXY'];
  else process.env['GATE_TEST_PROXY'] = proxy;
  const files = Object.keys(SUITES).map((suite) => join(ROOT, `test/integration/${suite}.test.ts`));
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
