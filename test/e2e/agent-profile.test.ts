import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { exchangeOf } from '../helpers/product.ts';

/** An agent that gate knows by its name works before anybody has made a list. */
const { home, origin } = await homeAndOrigin('api.anthropic.com', undefined, ['other.test']);
// Any program by the agent's name; this one makes requests.
const agent = join(home.dir, 'bin', 'claude');
mkdirSync(join(home.dir, 'bin'));
symlinkSync('/usr/bin/curl', agent);

const ask = (program: string, ...options: string[]) =>
  home.gate([
    ...['run', ...origin.runOptions, ...options, '--', program, '-sS'],
    ...['-w', '%{http_code}\n', 'https://api.anthropic.com/own', 'https://other.test/other'],
  ]);
const decisions = () => {
  const records = home.ledger();
  const of = (path: string) => exchangeOf(records, path).request?.['decision'];
  return { own: of('/own'), other: of('/other') };
};
const NOT_LISTED = { verdict: 'deny', reason: 'not_allowlisted' };

// promise: lists.profile
test('its own hosts count as allowlisted for its run, and no others', async () => {
  expect((await ask(agent, '--enforce')).stdout).toMatch(/200\n.*403\n$/s);
  expect(decisions()).toEqual({
    own: {
      verdict: 'forward',
      reason: 'allowlisted',
      list: 'allow',
      pattern: 'api.anthropic.com',
      ofRun: true,
    },
    other: NOT_LISTED,
  });
  const [start] = home.ledger();
  expect(start).toMatchObject({ type: 'run.start', agent: { name: 'claude' } });
  expect((await home.gate(['events', 'run:last', 'is:flagged', '--json'])).stdout).not.toContain('/own');
});

// promise: lists.profile
test('they do not count for another program', async () => {
  expect((await ask('curl', '--enforce')).stdout).toMatch(/403\n.*403\n$/s);
  expect(decisions()).toEqual({ own: NOT_LISTED, other: NOT_LISTED });
});

// promise: lists.profile
test('nor once there is an allowlist, of which the person is told when it is made', async () => {
  const made = await home.gate(['allow', 'other.test']);
  expect(made.stderr).toContain('the hosts that gate knows of the agent are no longer added');
  expect((await ask(agent, '--enforce')).stdout).toMatch(/403\n.*200\n$/s);
  expect(decisions()).toMatchObject({
    own: NOT_LISTED,
    other: { verdict: 'forward', pattern: 'other.test' },
  });
});
