import { fakeKey } from './accounts.ts';
import { describePrompt } from './prompt.ts';

const host = 'generativelanguage.googleapis.com';
const secret = fakeKey('AIza').slice(0, 39);
const model = 'gemini-2.5-pro';

describePrompt({
  ...{ name: 'gemini', host, secret, path: `/v1beta/models/${model}:streamGenerateContent?alt=sse` },
  agent: (gemini) => ({
    // With a model that is named it does not ask another one which to take.
    command: [gemini, '--model', model, '--yolo', '--skip-trust', '--prompt', 'Write the file.'],
    env: { GEMINI_API_KEY: secret },
    // The second is told how it is used.
    hosts: [host, 'play.googleapis.com'],
    caVariable: 'NODE_EXTRA_CA_CERTS',
  }),
});
