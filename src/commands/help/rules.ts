import { RULES } from '../../rules/list.ts';
import { wrapped } from './wrap.ts';

/** `gate help rules`: made from the rules themselves. */
export function rules(): string {
  const list = RULES.map(
    ({ code, severity, when }) => `  ${code}  (${severity})\n${wrapped(' '.repeat(6), when)}`,
  );
  return `Rules are applied to every exchange after it has ended. What fires is a flag of
that exchange: it blocks nothing and delays nothing.

${list.join('')}
  gate events flag:high                 exchanges with a high flag
  gate events flag:secret_in_request    with this one
  gate dismiss K3F9QZ:42 --reason why   silence the flags of one exchange
  gate dismiss --host cdn.example.com --code oversized_response --reason why
  gate events is:dismissed              what was silenced
  gate dismiss --undo K3F9QZ:42

A dismissed flag stays in the record, and no longer counts in \`flag:\`, is:flagged and
\`gate stats\`. Dismissals are in dismissals.json in gate's config folder, which may be
edited; each needs a reason.

The [rules] section of config.toml has the thresholds, and switches rules off.

More: docs/rules.md, docs/config.md
`;
}
