import { expect, TestRunner } from 'vitest';

/** The proxy that stands in gate's place in the suites of the engine, where one does: `GATE_TEST_PROXY=http-mitm-proxy`. */
export const OTHER_PROXY = process.env['GATE_TEST_PROXY'];

/** How long a test waits for what must come. Another proxy fails many tests: each may cost little. */
export const PATIENCE_MS = OTHER_PROXY === undefined ? 8000 : 2000;

/** What a test has to say about another proxy, beside its result. */
export interface ProbeNotes {
  /** Things seen on the wire, as they had to be. */
  seen: number;
  /** Why nothing of the test concerns another proxy. */
  gateOnly?: string;
  /** What, after the checks on the wire, was not asked of it. */
  leftOut?: string;
  /** How the proxy's process ended by itself. */
  died?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    probe?: ProbeNotes;
  }
}

/** The notes on the test that is running. */
export function notes(): ProbeNotes {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('no test is running');
  test.meta.probe ??= { seen: 0 };
  return test.meta.probe;
}

/** Counts, where another proxy is tried, something that was seen on the wire; gives it back. */
export function witnessed(text: string): string {
  if (OTHER_PROXY !== undefined) notes().seen += 1;
  return text;
}

/** Ends the current test: all of it is about something that only gate has. */
export function gateOnly(what: string): never {
  notes().gateOnly = what;
  return end(what);
}

/** Ends the current test where gate's record is asked: what the wire had to show before was shown, or there was nothing. */
export function recordAsked(): never {
  if (notes().seen + expect.getState().assertionCalls === 0) return gateOnly('its record');
  notes().leftOut = 'its record';
  return end('its record');
}

function end(what: string): never {
  const test = TestRunner.getCurrentTest();
  // A test that ran out of time goes on unheard: its verdict stands.
  if (test?.result?.state !== 'fail') test?.context.skip(`only gate has ${what}`);
  throw new Error(`no test is running that could end for ${what}`);
}
