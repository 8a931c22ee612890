import { beforeAll, describe, expect, test } from 'vitest';
import { identities } from '../e2e/escape/identity.ts';
import {
  expectModelCallsRecorded,
  expectNothingMissed,
  expectPromptCompleted,
  expectRun,
  modelCalls,
} from './expectations.ts';
import { type AgentName, INSTALL_TIMEOUT_MS, type Installed, installAgents, programOf } from './install.ts';
import { type Agent, runDirect, runGated, whyNotGated } from './scene.ts';

/** Time for one prompt. */
export const TEST_TIMEOUT_MS = 180_000;

/** An agent that calls its model by one POST a turn. */
export interface PromptCase {
  readonly name: AgentName;
  agent(program: string): Agent;
  /** Where its model is, and the path of the first call. */
  readonly host: string;
  readonly path: string;
  /** What it sends as its key, and the ledger must not hold in clear. */
  readonly secret: string;
}

/** A prompt with a tool call, outside the jail and under gate, as each user: done, and on record to the byte. */
export function describePrompt({ name, agent, host, path, secret }: PromptCase): void {
  describe(`${name} completes a prompt with a tool call`, () => {
    let installed: Installed;
    beforeAll(async () => {
      installed = await installAgents();
    }, INSTALL_TIMEOUT_MS);

    describe.each(identities())('as $name', (identity) => {
      test('outside the jail', { timeout: TEST_TIMEOUT_MS }, async (context) => {
        const shown = await runDirect(agent(programOf(installed, name, context)), identity);
        expectPromptCompleted(shown, host);
        const [first] = modelCalls(shown.calls, host);
        expect(first).toMatchObject({ protocol: 'http/1.1', path });
      });

      test('under gate', { timeout: TEST_TIMEOUT_MS }, async (context) => {
        const own = agent(programOf(installed, name, context));
        const reason = await whyNotGated(identity);
        context.skip(reason !== undefined, reason);
        const shown = await runGated(own, identity);
        expectPromptCompleted(shown, host);
        expectModelCallsRecorded(shown.calls, shown.run, host);
        expectNothingMissed(shown.calls, shown.run);
        expectRun(shown, name, secret);
      });
    });
  });
}
