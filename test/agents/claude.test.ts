import { fakeKey } from './accounts.ts';
import { describePrompt } from './prompt.ts';

const host = 'api.anthropic.com';
const secret = fakeKey('sk-ant-api03-');

describePrompt({
  ...{ name: 'claude', host, secret, path: '/v1/messages?beta=true' },
  agent: (claude) => ({
    // Its "skip all permissions" is refused to root; one allowed tool is what a careful person gives it anyway.
    command: [claude, '--print', 'Write the file.', '--allowedTools', 'Bash'],
    env: { ANTHROPIC_API_KEY: secret },
    hosts: [host],
    caVariable: 'NODE_EXTRA_CA_CERTS',
  }),
});
