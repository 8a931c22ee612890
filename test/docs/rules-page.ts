import { RULES } from '../../src/rules/list.ts';

/** docs/rules.md, made from the rules themselves. */
export function rulesPage(): string {
  const rows = RULES.map(({ code, severity, when, settings }) => {
    const keys = settings.map((key) => `\`rules.${key}\``).join(', ');
    return `| \`${code}\` | ${severity} | ${when} | ${keys} |`;
  });
  return `# Rules

Generated from \`src/rules/\` by \`npm run docs\`.

Rules are applied to every exchange right after it has ended, and to WebSocket messages while they come. What fires becomes a flag in the
\`analysis\` record of the ledger: code, severity, detail. Nothing is blocked by a flag, and no stream waits for one. The summary line
counts high flags as distinct (host, code).

| code | severity | fires when | settings |
| --- | --- | --- | --- |
${rows.join('\n')}

\`rules.disabled\` in \`config.toml\` switches rules off by their codes. Defaults: [configuration](config.md).

A host counts as allowlisted by the list as it was when the request was decided on. A request that was refused is judged too, as
what the command tried to send; the detail then says that it was blocked. Tunnels of the passthrough list are not read, so no rule applies to them.

A secret that an agent's history holds is sent with every turn, and is flagged with every turn. What an API key looks like, and what is personal
data, the detectors say (\`gate scan\`).

A rule that throws becomes \`parse_error\` with its name, and takes no other rule with it.
`;
}
