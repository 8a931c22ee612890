/** `gate help denylist`. */
export const denylist = `The denylist names the hosts that the command must not reach.

It is asked before anything else, and wins over both other lists. The request
gets a 403 with \`x-gate-block: denylisted\` and a text that an agent can read:
that you decided it, that retrying is wrong, and what you can type to allow it.
No byte of the request goes upstream.

  gate deny telemetry.example.com
  gate deny "*.example.com" 203.0.113.0/24
  gate deny --remove telemetry.example.com
  gate run --deny example.com -- npm install    for one run only

The file is denylist.txt in gate's config folder (gate help environment).

Patterns are those of the allowlist (gate help allowlist), with two differences:
  - without a port, a pattern holds on every port
  - addresses and ranges hold for what a name resolves to, too: 203.0.113.0/24
    refuses every name that leads there

A bare * denies everything. \`gate lists\` shows which patterns of the other lists
have no effect because of this one.
`;
