import type { Rule } from './rule.ts';

/** Something could not be read as what it claimed to be. */
export const parseError: Rule = {
  code: 'parse_error',
  severity: 'info',
  when:
    'A parser claimed the exchange and failed on it, a body could not be decoded, a rule threw, or the analysis ' +
    'died. The bytes are kept.',
  settings: [],
  check: ({ failures }) => (failures.length === 0 ? undefined : failures.join('; ').slice(0, 500)),
};
