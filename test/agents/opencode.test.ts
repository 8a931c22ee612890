import { fakeKey } from './accounts.ts';
import { describePrompt } from './prompt.ts';

const host = 'api.anthropic.com';
const secret = fakeKey('sk-ant-api03-');

describePrompt({
  ...{ name: 'opencode', host, secret, path: '/v1/messages' },
  agent: (opencode) => ({
    command: [opencode, 'run', '--model', 'anthropic/claude-sonnet-4-5', '--auto', 'Write the file.'],
    env: { ANTHROPIC_API_KEY: secret },
    // It fetches its list of models, and looks for plugins.
    hosts: [host, 'models.opencode.ai', 'registry.npmjs.org'],
    caVariable: 'NODE_EXTRA_CA_CERTS',
  }),
});
