import { describe, expect, test } from 'vitest';
import type { SecretSighting } from '../../../src/core/analysis.ts';
import { RULE_CODES } from '../../../src/core/rules.ts';
import { applyRules } from '../../../src/rules/apply.ts';
import { RULES } from '../../../src/rules/list.ts';
import type { Rule, Subject } from '../../../src/rules/rule.ts';
import { cpuMs } from '../../helpers/cpu.ts';
import { SETTINGS, subject } from './subject.ts';

const FIVE = 5 * 1024 * 1024;
const codes = (given: Partial<Subject>, settings = SETTINGS) =>
  applyRules(subject(given), settings).map(({ code }) => code);
const seen = (where: string, more: Partial<SecretSighting> = {}): SecretSighting => ({
  kind: 'some_key',
  where,
  masked: '… (10)',
  fingerprint: '00000000',
  ...more,
});
const results = (...texts: string[]) => ({ toolResults: texts.map((text) => ({ text })) });

test('there is one rule for each code, in the order of the codes', () => {
  expect(RULES.map(({ code }) => code)).toEqual([...RULE_CODES]);
  expect(codes({})).toEqual([]);
});

// promise: rule.host_not_allowlisted
test('host_not_allowlisted', () => {
  const flags = applyRules(subject({ allowlisted: false }), SETTINGS);
  expect(flags).toEqual([
    {
      code: 'host_not_allowlisted',
      severity: 'high',
      detail: 'api.example.com:443 is not on the allowlist',
    },
  ]);
  expect(codes({ allowlisted: true })).toEqual([]);
});

// promise: rule.secret_in_request
describe('secret_in_request', () => {
  test.each(['request.body', 'url', 'request.header:x-odd', 'request.header:user-agent'])('%s', (where) => {
    expect(codes({ secrets: [seen(where)] })).toEqual(['secret_in_request']);
  });

  test.each(['authorization', 'x-api-key', 'cookie', 'x-goog-api-key'])(
    'the header %s is a leak to an unlisted host only',
    (name) => {
      const secrets = [seen(`request.header:${name}`)];
      expect(codes({ secrets })).toEqual([]);
      expect(codes({ secrets, allowlisted: false })).toContain('secret_in_request');
    },
  );

  test('a message of the client is one, a message of the server and an answer are none', () => {
    expect(codes({ secrets: [seen('message:3', { from: 'client' })] })).toEqual(['secret_in_request']);
    expect(codes({ secrets: [seen('message:3', { from: 'server' }), seen('response.body')] })).toEqual([]);
  });
});

// promise: rule.env_in_tool_result
describe('env_in_tool_result', () => {
  test.each([
    ['plain', 'HOME=/root\nPATH=/bin\nAPI_KEY=x'],
    ['export', 'export A=1\nexport http_proxy=2\nexport C=3'],
    ['declare', 'declare -x A="1"\ndeclare -x B="2"\ndeclare -rx C="3"'],
    ['numbered with tabs', '     1\tA=1\n     2\tB=2\n     3\tC=3'],
    ['numbered with arrows', '     1→A=1\n     2→B=2\n     3→C=3'],
    ['grep', '.env:1\n1:A=1\n2:B=2\n3:C=3'],
    ['CRLF, with other lines between', 'A=1\r\n# comment\r\nB=2\r\n\r\nC=3\r\n'],
  ])('%s', (_, text) => {
    expect(codes(results(text))).toEqual(['env_in_tool_result']);
  });

  test.each([
    ['two lines', 'A=1\nB=2'],
    ['two lines each in two results', 'A=1\nB=2', 'C=3\nD=4'],
    ['code', 'const a = 1\nif (B == 2) {\nlet c=3;\nx=1\ny=2\nz=3'],
    ['empty values', 'A=\nB=\nC='],
    ['URLs', 'https://x.example/?A=1\nhttps://x.example/?B=1\nhttps://x.example/?C=1'],
  ])('silent: %s', (_, ...texts) => {
    expect(codes(results(...texts))).toEqual([]);
  });

  test('the number of lines is a setting, and the tool is named', () => {
    const toolResults = [{ name: 'Bash', text: 'A=1\nB=2' }];
    const [flag] = applyRules(subject({ toolResults }), { ...SETTINGS, envLines: 2 });
    expect(flag?.detail).toBe('2 KEY=VALUE lines in one result of Bash');
  });

  test('hostile text takes linear time', () => {
    const hostile = results('A'.repeat(200_000), `${'1'.repeat(300)}\n`.repeat(2000));
    expect(cpuMs(() => expect(codes(hostile)).toEqual([]))).toBeLessThan(200);
  });
});

// promise: rule.oversized_request, rule.oversized_response
test('oversized_request and oversized_response', () => {
  expect(codes({ requestBytes: FIVE + 1 })).toEqual(['oversized_request']);
  expect(codes({ responseBytes: FIVE + 1 })).toEqual(['oversized_response']);
  expect(codes({ requestBytes: FIVE, responseBytes: FIVE })).toEqual([]);
  const severities = applyRules(subject({ requestBytes: FIVE + 1, responseBytes: FIVE + 1 }), SETTINGS);
  expect(severities.map(({ severity }) => severity)).toEqual(['medium', 'low']);
});

// promise: rule.unknown_mcp_endpoint
test('unknown_mcp_endpoint', () => {
  const stream = {
    responseHeaders: [['content-type', 'text/event-stream; charset=utf-8']] as [string, string][],
  };
  expect(codes({ allowlisted: false, mcp: true })).toContain('unknown_mcp_endpoint');
  expect(codes({ allowlisted: false, ...stream })).toContain('unknown_mcp_endpoint');
  expect(codes({ allowlisted: false })).not.toContain('unknown_mcp_endpoint');
  expect(codes({ mcp: true, ...stream })).toEqual([]);
  expect(codes({ allowlisted: false, knownMcpHost: true, mcp: true, ...stream })).toEqual([
    'host_not_allowlisted',
  ]);
});

// promise: rule.permissive_capture
test('permissive_capture', () => {
  expect(codes({ jailed: false })).toEqual(['permissive_capture']);
});

// promise: rule.ws_pinned_upstream
test('ws_pinned_upstream', () => {
  const socket = { protocol: 'websocket', status: 101 } as const;
  expect(codes(socket)).toEqual(['ws_pinned_upstream']);
  expect(codes({ ...socket, dataMessages: 1 })).toEqual([]);
  expect(codes({ ...socket, status: 426 })).toEqual([]);
  expect(codes({ ...socket, ended: false })).toEqual([]);
});

// promise: rule.parse_error
describe('parse_error', () => {
  test('names what failed', () => {
    const [flag] = applyRules(subject({ failures: ['some-parser: no'] }), SETTINGS);
    expect(flag).toEqual({ code: 'parse_error', severity: 'info', detail: 'some-parser: no' });
  });

  test('a rule that throws becomes one, with its name, and takes no other with it', () => {
    const broken: Rule = {
      code: 'oversized_request',
      severity: 'medium',
      when: '',
      settings: [],
      check: () => {
        throw new Error('broken');
      },
    };
    const rules = RULES.map((rule) => (rule.code === broken.code ? broken : rule));
    const flags = applyRules(subject({ allowlisted: false, dataMessages: 0 }), SETTINGS, rules);
    expect(flags.map(({ code }) => code)).toEqual(['host_not_allowlisted', 'parse_error']);
    expect(flags[1]?.detail).toBe('rule oversized_request: broken');
  });
});

test('a rule that is disabled does not fire', () => {
  const settings = { ...SETTINGS, disabled: ['host_not_allowlisted', 'permissive_capture'] as const };
  expect(codes({ allowlisted: false, jailed: false, failures: ['x'] }, settings)).toEqual(['parse_error']);
});
