import { beforeAll, describe, expect, test } from 'vitest';
import { identities } from '../e2e/escape/identity.ts';
import { chatGptLogin, fakeKey } from './accounts.ts';
import {
  expectMessagesRecorded,
  expectModelCallsRecorded,
  expectNothingMissed,
  expectPromptCompleted,
  expectRun,
  modelCalls,
} from './expectations.ts';
import { INSTALL_TIMEOUT_MS, type Installed, installAgents, programOf } from './install.ts';
import { TEST_TIMEOUT_MS } from './prompt.ts';
import { type Agent, runDirect, runGated, whyNotGated } from './scene.ts';

const key = fakeKey('sk-proj-');
const chatGpt = chatGptLogin();

const base = (codex: string) => ({
  // Its own sandbox stays on: bubblewrap inside the jail is part of what is shown here.
  command: [codex, 'exec', '--sandbox', 'workspace-write', 'Write the file.'],
  hosts: [
    ...['api.openai.com', 'chatgpt.com', 'ab.chatgpt.com', 'auth.openai.com'],
    // It fetches its list of plugins, with a git of its own where the API gives none.
    ...['api.github.com', 'github.com'],
  ],
  caVariable: 'SSL_CERT_FILE',
});

const withKey = (codex: string): Agent => ({
  ...base(codex),
  logIn: (scratch) => scratch.run([codex, 'login', '--with-api-key'], {}, key),
});

interface Way {
  readonly way: string;
  readonly host: string;
  readonly secret: string;
  readonly agent: (codex: string) => Agent;
  /** Content coding of the requests, and whether they go over a WebSocket. */
  readonly coding?: 'zstd';
  readonly webSocket?: true;
}

const ways: readonly Way[] = [
  { way: 'an API key, over POST', host: 'api.openai.com', secret: key, agent: withKey },
  {
    way: 'an API key, over a WebSocket',
    host: 'api.openai.com',
    secret: key,
    agent: (codex) => ({ ...withKey(codex), webSocket: 'serve' }),
    webSocket: true,
  },
  {
    way: 'a ChatGPT login, with compressed requests',
    host: 'chatgpt.com',
    secret: chatGpt.secret,
    agent: (codex) => ({
      ...base(codex),
      logIn: async (scratch) => scratch.put('.codex/auth.json', chatGpt.file),
    }),
    coding: 'zstd',
  },
];

const cases = identities().flatMap((identity) =>
  ways.map((way) => ({ ...way, identity, who: identity.name })),
);

describe('codex completes a prompt with a tool call', () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await installAgents();
  }, INSTALL_TIMEOUT_MS);

  describe.each(cases)('with $way, as $who', ({ host, secret, agent, identity, coding, webSocket }) => {
    test('outside the jail', { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const shown = await runDirect(agent(programOf(installed, 'codex', context)), identity);
      expectPromptCompleted(shown, host);
      const [first] = modelCalls(shown.calls, host);
      expect(first?.headers['content-encoding']).toBe(coding);
      expect(first?.protocol).toBe(webSocket ? 'websocket' : 'h2');
    });

    test('under gate', { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const codex = agent(programOf(installed, 'codex', context));
      const reason = await whyNotGated(identity);
      context.skip(reason !== undefined, reason);
      const shown = await runGated(codex, identity);
      expectPromptCompleted(shown, host);
      if (webSocket) expectMessagesRecorded(shown.calls, shown.run, host);
      else expectModelCallsRecorded(shown.calls, shown.run, host);
      expectNothingMissed(shown.calls, shown.run);
      expectRun(shown, 'codex', secret);
    });
  });
});
