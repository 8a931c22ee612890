import { OPERATORS, stateHelp } from '../../store/query/operators.ts';
import { knownKinds } from '../reading/filter.ts';
import { wrapped } from './wrap.ts';

/** `gate help filters`: made from the operators themselves. */
export async function filters(): Promise<string> {
  const kinds = await knownKinds();
  const operators = OPERATORS.map(({ name, value, help, example }) => {
    const shown = name === 'is' ? 'a state:' : help;
    return `${wrapped(`  ${`${name}:${value}`.padEnd(15)}`, shown)}${wrapped(' '.repeat(19), example)}${name === 'is' ? states() : ''}`;
  });
  return `A filter says which exchanges are meant, in \`gate events\`, \`gate search\`,
\`gate stats\` and \`gate tail\`.

  gate events run:last is:blocked
  gate events flag:high since:today -host:example.com
  gate events '(status:5xx OR is:failed) NOT model:haiku'

All of its terms must be so. OR stands between terms, or groups in parentheses; NOT or -
before a term turns it round, and what is not known of an exchange is not so.
Quotes hold words together: body:"rm -rf". A shell takes quotes, parentheses and >
for itself, so put the whole in single quotes. An argument with OR in it is a
group of its own.

A word without an operator is part of the host or of the URL, in any case.

Operators
${operators.join('')}
Times are of the local clock where they have no offset.

Kinds of secrets
${wrapped('  ', kinds.secret.join(' '))}
Kinds of personal data
${wrapped('  ', kinds.pii.join(' '))}
Codes of flags: gate help rules
More: docs/filters.md
`;
}

function states(): string {
  return stateHelp()
    .map(([name, help]) => `${' '.repeat(19)}${name.padEnd(10)} ${help}\n`)
    .join('');
}
