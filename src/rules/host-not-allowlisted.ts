import type { Rule } from './rule.ts';

/** Somebody was talked to whom nobody has allowed. */
export const hostNotAllowlisted: Rule = {
  code: 'host_not_allowlisted',
  severity: 'high',
  when: "The request's host is not on the allowlist, whether it was forwarded or refused.",
  settings: [],
  check: ({ host, port, allowlisted, denied }) => {
    if (allowlisted) return undefined;
    return `${host}:${port} is not on the allowlist${denied ? ' (blocked)' : ''}`;
  },
};
