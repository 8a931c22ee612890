import type { Traffic } from '../../../src/parsers/parser.ts';

/** An exchange as parsers see it. */
export function traffic(given: Partial<Traffic>): Traffic {
  return {
    method: 'POST',
    host: 'api.example.com',
    path: '/',
    requestHeaders: [['Content-Type', 'application/json']],
    responseHeaders: [['Content-Type', 'application/json']],
    status: 200,
    request: undefined,
    response: undefined,
    whole: true,
    ...given,
  };
}

export const STREAM: Traffic['responseHeaders'] = [['content-type', 'text/event-stream; charset=utf-8']];
