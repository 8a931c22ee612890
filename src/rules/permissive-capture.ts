import type { Rule } from './rule.ts';

/** What was captured is what chose to be. */
export const permissiveCapture: Rule = {
  code: 'permissive_capture',
  severity: 'info',
  when: 'The exchange was captured without a jail: `permissive`, or `best-effort` where no jail could be had.',
  settings: [],
  check: ({ jailed }) =>
    jailed ? undefined : 'captured without a jail: what does not use the proxy is not seen',
};
