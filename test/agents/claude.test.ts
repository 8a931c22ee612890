import { beforeAll, describe, expect, test } from 'vitest';
import { identities } from '../e2e/escape/identity.ts';
import { fakeKey } from './accounts.ts';
import {
  expectModelCallsRecorded,
  expectNothingMissed,
  expectPromptCompleted,
  expectRun,
  modelCalls,
} from './expectations.ts';
import { INSTALL_TIMEOUT_MS, type Installed, installAgents, programOf } from './install.ts';
import { type Agent, runDirect, runGated, whyNotGated } from './scene.ts';

const host = 'api.anthropic.com';
const key = fakeKey('sk-ant-api03-');

const agentOf = (claude: string): Agent => ({
  // Its "skip all permissions" is refused to root; one allowed tool is what a careful person gives it anyway.
  command: [claude, '--print', 'Write the file.', '--allowedTools', 'Bash'],
  env: { ANTHROPIC_API_KEY: key },
  hosts: [host],
  caVariable: 'NODE_EXTRA_CA_CERTS',
});

const TEST_TIMEOUT_MS = 180_000;

describe('claude completes a prompt with a tool call', () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await installAgents();
  }, INSTALL_TIMEOUT_MS);

  describe.each(identities())('as $name', (identity) => {
    test('outside the jail', { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const shown = await runDirect(agentOf(programOf(installed, 'claude', context)), identity);
      expectPromptCompleted(shown, host);
      const [first] = modelCalls(shown.calls, host);
      expect(first).toMatchObject({ protocol: 'http/1.1', path: '/v1/messages?beta=true' });
    });

    test('under gate', { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const claude = agentOf(programOf(installed, 'claude', context));
      const reason = await whyNotGated(identity);
      context.skip(reason !== undefined, reason);
      const shown = await runGated(claude, identity);
      expectPromptCompleted(shown, host);
      expectModelCallsRecorded(shown.calls, shown.run, host);
      expectNothingMissed(shown.calls, shown.run);
      expectRun(shown, 'claude', key);
    });
  });
});
