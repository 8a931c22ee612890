import type { Rule } from './rule.ts';
import { sizeText } from './size.ts';

/** More leaves than a conversation needs. */
export const oversizedRequest: Rule = {
  code: 'oversized_request',
  severity: 'medium',
  when: 'The request body is longer than `rules.oversizedRequestBytes`.',
  settings: ['oversizedRequestBytes'],
  check: ({ requestBytes }, { oversizedRequestBytes }) =>
    requestBytes > oversizedRequestBytes ? `a request body of ${sizeText(requestBytes)}` : undefined,
};
