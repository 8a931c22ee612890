import type { RuleSettings, Subject } from '../../../src/rules/rule.ts';

/** An exchange with an allowlisted host in which nothing is wrong. */
export function subject(given: Partial<Subject> = {}): Subject {
  return {
    host: 'api.example.com',
    port: 443,
    allowlisted: true,
    knownMcpHost: false,
    denied: false,
    jailed: true,
    protocol: 'http/1.1',
    status: 200,
    responseHeaders: [['Content-Type', 'application/json']],
    requestBytes: 10,
    responseBytes: 10,
    ended: true,
    dataMessages: 0,
    mcp: false,
    secrets: [],
    toolResults: [],
    failures: [],
    ...given,
  };
}

export const SETTINGS: RuleSettings = {
  disabled: [],
  oversizedRequestBytes: 5 * 1024 * 1024,
  oversizedResponseBytes: 5 * 1024 * 1024,
  envLines: 3,
};
