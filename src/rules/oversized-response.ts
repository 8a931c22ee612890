import type { Rule } from './rule.ts';
import { sizeText } from './size.ts';

/** More comes in than an answer needs. */
export const oversizedResponse: Rule = {
  code: 'oversized_response',
  severity: 'low',
  when: 'The response body is longer than `rules.oversizedResponseBytes`.',
  settings: ['oversizedResponseBytes'],
  check: ({ responseBytes }, { oversizedResponseBytes }) =>
    responseBytes > oversizedResponseBytes ? `a response body of ${sizeText(responseBytes)}` : undefined,
};
