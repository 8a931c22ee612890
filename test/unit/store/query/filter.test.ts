import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileFilter } from '../../../../src/store/query/compile.ts';
import { OPERATORS } from '../../../../src/store/query/operators.ts';
import { filterText, parseFilter } from '../../../../src/store/query/parse.ts';
import { createRandom } from '../random.ts';
import { context, NOW, type TestIndex, testIndex } from './rows.ts';

let index: TestIndex;
const find = (...args: string[]) => index.find(filterText(args));
const hour = 3_600_000;

beforeAll(() => {
  index = testIndex();
  const { event, flag, span, words } = index;
  const first = event({
    seq: 1,
    host: 'api.example.com',
    port: 443,
    url: 'https://api.example.com/v1/messages',
    method: 'POST',
    status: 200,
    provider: 'anthropic',
    model: 'claude-haiku-4',
    session: 'abc-123',
    tool_calls: '["Bash"]',
  });
  const second = event({
    seq: 2,
    host: 'example.com',
    port: 8443,
    url: 'https://example.com:8443/a?q=1',
    status: 404,
    at: NOW.getTime() - 26 * hour,
  });
  event({
    seq: 3,
    host: 'evil.test',
    port: 443,
    url: 'https://evil.test/',
    status: 403,
    verdict: 'deny',
    reason: 'denylisted',
    outcome: 'denied',
  });
  event({ seq: 4, kind: 'tunnel', host: 'pinned.test', port: 443, method: null, outcome: null });
  event({
    seq: 5,
    kind: 'refused',
    host: '203.0.113.7',
    port: 25,
    method: null,
    outcome: null,
    verdict: 'deny',
    reason: 'port_not_captured',
    protocol: 'tcp',
  });
  event(
    {
      seq: 6,
      host: '::1',
      port: 11434,
      url: 'http://[::1]:11434/',
      status: 500,
      outcome: 'upstream_reset',
      protocol: 'websocket',
    },
    2,
  );
  flag(first, 'secret_in_request', 4, 'api.example.com');
  flag(second, 'host_not_allowlisted', 4, 'example.com');
  flag(second, 'oversized_request', 3, 'example.com');
  span(first, { class: 'secret', kind: 'github_pat', fingerprint: 'ab12cd34' });
  span(second, { class: 'pii', kind: 'email', place: 'request' });
  words(first, {
    host: 'api.example.com',
    url: '',
    text: 'Do not say Straße or rm -rf / to anyone',
    tools: 'Bash ls',
  });
  words(second, { host: 'example.com', url: 'anyone', text: 'nothing', tools: '' });
});
afterAll(() => index.remove());

// promise: read.events
describe('operators', () => {
  test.each([
    ['', [1, 2, 3, 4, 5, 6]],
    ['host:example.com', [1, 2]],
    ['host:EXAMPLE', [1, 2]],
    ['host:*.example.com', [1]],
    ['host:e?ample.com', []],
    ['host:example.com:8443', [2]],
    ['host:::1', [6]],
    ['host:[::1]:11434', [6]],
    ['host:[::1]:1', []],
    ['method:post', [1]],
    ['status:404', [2]],
    ['status:4xx', [2, 3]],
    ['status:>=400', [2, 3, 6]],
    ['status:400-403', [3]],
    ['status:400..404', [2, 3]],
    ['status:none', []],
    ['flag:any', [1, 2]],
    ['flag:secret_in_request', [1]],
    ['flag:medium', [2]],
    ['flag:>=medium', [1, 2]],
    ['flag:<high', [2]],
    ['secret:any', [1]],
    ['secret:github_pat', [1]],
    ['secret:#ab12cd34', [1]],
    ['secret:#ffffffff', []],
    ['pii:email', [2]],
    ['pii:phone', []],
    ['model:haiku', [1]],
    ['session:abc', [1]],
    ['session:bc', []],
    ['tool:bash', [1]],
    ['run:last', [6]],
    ['run:aaaaaa', [1, 2, 3, 4, 5]],
    ['since:today', [1, 3, 4, 5, 6]],
    ['since:1h', [1, 3, 4, 5, 6]],
    ['since:2d', [1, 2, 3, 4, 5, 6]],
    ['until:yesterday', [2]],
    ['since:yesterday until:yesterday', [2]],
    ['until:2026-01-30', [2]],
    ['since:2026-01-31', [1, 3, 4, 5, 6]],
    [`since:${NOW.toISOString()}`, [1, 3, 4, 5, 6]],
    [`until:${new Date(NOW.getTime() - 1).toISOString()}`, [2]],
    ['body:strasse', []],
    ['body:straße', [1]],
    ['body:"say straße"', [1]],
    ['body:"straße say"', []],
    ['body:any*', [1]],
    ['body:anyone', [1]],
    ['body:"rm -rf"', [1]],
    ['body:ls', [1]],
    ['reason:denylisted', [3]],
    ['is:blocked', [3]],
    ['is:tunnel', [4]],
    ['is:refused', [5]],
    ['is:open', [4]],
    ['is:llm', [1]],
    ['is:failed', [6]],
    ['is:flagged', [1, 2]],
    ['is:dismissed', []],
    ['is:exchange', [1, 2, 3, 6]],
    ['is:websocket', [6]],
  ])('%s', (text, seqs) => {
    expect(find(text)).toEqual(seqs);
  });

  test('is:dismissed lets dismissed flags count in any case, as the operator itself is read', () => {
    const { database, find: found } = index;
    database
      .prepare("INSERT INTO dismissals (id, host, code) VALUES ('d', 'api.example.com', 'secret_in_request')")
      .run();
    try {
      expect(found('flag:secret_in_request')).toEqual([]);
      expect(found('flag:secret_in_request is:dismissed')).toEqual([1]);
      expect(found('flag:secret_in_request IS:Dismissed')).toEqual([1]);
    } finally {
      database.prepare('DELETE FROM dismissals').run();
    }
  });

  test('each has an example that it takes itself', () => {
    for (const { name, example } of OPERATORS) {
      expect(example).toContain(`${name}:`);
      const without = example.replace(/run:K3F9QZ/, 'run:AAAAAA').replace(/ {2}/g, ' OR ');
      expect(Array.isArray(find(without)), `${example}: ${find(without)}`).toBe(true);
    }
  });

  test('values that they list are taken', () => {
    for (const { name, values } of OPERATORS) {
      for (const value of values?.(context()) ?? []) expect(find(`${name}:${value}`)).toBeInstanceOf(Array);
    }
  });
});

describe('words and their logic', () => {
  test.each([
    [['messages'], [1]],
    [['EVIL'], [3]],
    [['https://example.com:8443/a?q=1'], [2]],
    [['"evil.test"'], [3]],
    [['"host:x"'], []],
    [['-host:example'], [3, 4, 5, 6]],
    [['-status:404'], [1, 3, 4, 5, 6]],
    [['NOT', 'status:404', 'example'], [1]],
    [['NOT', 'NOT', 'status:404'], [2]],
    [['status:404 OR status:403'], [2, 3]],
    [
      ['status:404', 'OR', 'status:403'],
      [2, 3],
    ],
    [['status:404 OR status:403', 'evil'], [3]],
    [
      ['status:404', 'OR', 'status:403', 'evil'],
      [2, 3],
    ],
    [['(status:404', 'OR', 'status:403)', 'AND', 'evil'], [3]],
    [
      ['-(status:404 OR status:403)', 'is:exchange'],
      [1, 6],
    ],
    [['((evil))'], [3]],
    [['-'], []],
    [['or'], []],
  ])('%j', (args, seqs) => {
    expect(find(...args)).toEqual(seqs);
  });
});

describe('what is wrong is pointed at', () => {
  test.each([
    ['hots:example.com', "there is no operator 'hots:'", 'hots:'],
    ['evil statu:404', "there is no operator 'statu:'", 'statu:'],
    ['status:4044', /no status/, '4044'],
    ['status:abc', /no status/, 'abc'],
    ['flag:secret_in_requst', /no rule and no severity/, 'secret_in_requst'],
    ['is:bloked', /no state/, 'bloked'],
    ['is:constructor', /no state/, 'constructor'],
    ['flag:constructor', /no rule and no severity/, 'constructor'],
    ['pii:mail', /no kind of personal data/, 'mail'],
    ['since:2026-02-30', /no time/, '2026-02-30'],
    ['since:25:00', /no time/, '25:00'],
    ['body:"!?"', /no letter/, '"!?"'],
    ['host:', "'host:' needs a value", 'host:'],
    ['host:"a b', 'a quote is opened and not closed', '"a b'],
    ['(host:a', "this '(' is not closed", '('],
    ['host:a )', "this ')' closes nothing", ')'],
    ['host:a OR', 'something is missing at the end', ''],
    ['OR host:a', "'OR' is not expected here", 'OR'],
    ['()', "')' is not expected here", ')'],
    ['NOT', 'something is missing at the end', ''],
    ['('.repeat(200), 'too many parentheses in each other', '('],
  ])('%s', (text, message, place) => {
    const compiled = compileFilter(text, context());
    if (!('problem' in compiled)) throw new Error('it was taken');
    const { problem } = compiled;
    expect(problem.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(text.slice(problem.start, problem.end)).toBe(place);
  });

  test('typed words come with those that are known', () => {
    const compiled = compileFilter('flag:hihg', context());
    expect(compiled).toMatchObject({ problem: { unknown: { typed: 'hihg' } } });
    expect(JSON.stringify(compiled)).toContain('host_not_allowlisted');
  });
});

/** Whole numbers below a limit. */
function ints(seed: number): (limit: number) => number {
  const random = createRandom(seed);
  return (limit) => Math.floor(random() * limit);
}

describe('hostile text', () => {
  const PIECES = [
    'host:',
    'body:',
    'flag:',
    'is:open',
    '"',
    '\\',
    '(',
    ')',
    ' ',
    '-',
    "'",
    ';',
    '--',
    '%',
    '_',
    '*',
    '?',
    '[',
    ']',
    '\0',
    '\u202e',
    'OR',
    'NOT',
    'AND',
    'NEAR(',
    '{text}',
    '{text} :',
    '^',
    '+',
    'DROP TABLE events',
    'é',
    '😀',
    '\ud800',
    'x'.repeat(300),
    'status:>=',
    'since:9999999d',
    ':',
    '::',
    '/*',
  ];

  test('is an answer or a problem, whatever it is, and changes nothing', () => {
    const next = ints(7);
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: 1 + next(12) }, () => PIECES[next(PIECES.length)]).join('');
      const found = index.find(text);
      if (typeof found === 'string') expect(found).not.toBe('');
      else expect(found.length).toBeLessThanOrEqual(6);
      const parsed = parseFilter(text);
      if ('problem' in parsed) {
        expect(parsed.problem.start).toBeLessThanOrEqual(text.length);
        expect(parsed.problem.end).toBeLessThanOrEqual(text.length);
      }
    }
    expect(find('')).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a filter and its negation share nothing and leave nothing out', () => {
    const next = ints(11);
    const TERMS = [
      'host:example',
      'status:4xx',
      'is:open',
      'flag:any',
      'model:haiku',
      'reason:denylisted',
      'evil',
      'body:anyone',
      'method:GET',
      'session:abc',
    ];
    const make = (depth: number): string => {
      const kind = depth === 0 ? 0 : next(4);
      if (kind === 0) return TERMS[next(TERMS.length)] ?? '';
      if (kind === 1) return `NOT ${make(depth - 1)}`;
      return `(${make(depth - 1)} ${kind === 2 ? 'OR ' : ''}${make(depth - 1)})`;
    };
    for (let round = 0; round < 300; round++) {
      const text = make(4);
      const [yes, no] = [find(text), find(`-(${text})`)];
      if (typeof yes === 'string' || typeof no === 'string') throw new Error(`${text}: ${yes} ${no}`);
      expect([...yes, ...no].sort(), text).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });
});
