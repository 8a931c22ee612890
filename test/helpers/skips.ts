import type { TestOptions } from 'vitest';
import type { Reporter, TestCase, TestModule, TestProject, Vitest } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test is not run on this machine. */
    skipBecause?: string;
  }
}

/**
 * Options of a test or a `describe` that is skipped where there is a reason, which the run then prints. For what is
 * known before the test begins; what a test finds out itself it says with `context.skip(condition, reason)`.
 */
export function skipBecause(reason: string | false | undefined): Pick<TestOptions, 'skip' | 'meta'> {
  return reason === undefined || reason === false ? {} : { skip: true, meta: { skipBecause: reason } };
}

const reasonOf = (test: TestCase): string | undefined => {
  const result = test.result();
  return (result.state === 'skipped' && result.note) || test.meta().skipBecause || undefined;
};

function count(tests: readonly TestCase[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const test of tests) {
    const reason = reasonOf(test);
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

/** What a run says at its end of the tests that it skipped, and those of them that gave no reason. */
function toldSkips(modules: readonly TestModule[]): { lines: string[]; unexplained: string[] } {
  const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
  const counts = [...count(skipped)].sort(([a], [b]) => a.localeCompare(b));
  return {
    lines: counts.map(([reason, times]) => `skipped: ${reason} (${times})`),
    unexplained: skipped
      .filter((test) => reasonOf(test) === undefined)
      .map((test) => `${test.module.relativeModuleId} > ${test.fullName}`),
  };
}

function createSkipReporter(vitest: Vitest): Reporter {
  let isPart = false;
  return {
    onTestRunStart(specifications) {
      // What the command line leaves out of a file counts as skipped.
      const isCut = specifications.some(({ testLines, testIds }) => testLines?.length || testIds?.length);
      isPart = isCut || vitest.config.testNamePattern !== undefined;
    },
    onTestRunEnd(modules, _errors, end) {
      const { lines, unexplained } = toldSkips(modules);
      // On stderr, since a report may be asked for on stdout.
      for (const line of lines) process.stderr.write(`${line}\n`);
      // So do tests of a group whose set-up failed.
      if (isPart || end !== 'passed' || unexplained.length === 0) return;
      for (const name of unexplained) process.stderr.write(`skipped without a reason: ${name}\n`);
      process.exitCode = 1;
    },
  };
}

/** A plugin that prints why tests were skipped, whichever reporters are asked for, and fails a run that does not know. */
export function explainedSkips() {
  return {
    name: 'explained-skips',
    configureVitest({ project, vitest }: { project: TestProject; vitest: Vitest }): void {
      // Every project has the plugins of all, each anew.
      if (project !== vitest.projects[0]) return;
      vitest.config.reporters.unshift(createSkipReporter(vitest));
    },
  };
}
