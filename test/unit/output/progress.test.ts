import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createProgress } from '../../../src/output/progress.ts';

function screen(given: { isTTY?: boolean; env?: NodeJS.ProcessEnv; quiet?: boolean; delayMs?: number } = {}) {
  const { isTTY = true, env = {}, quiet, delayMs = 0 } = given;
  const clock = { now: 0 };
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 60 });
  const progress = createProgress({ stream, env, quiet, what: 'reading', delayMs, now: () => clock.now });
  return { clock, progress, text: () => String(stream.read() ?? '') };
}

test('shows how far it is, then how long it will take, and goes away', () => {
  const { clock, progress, text } = screen();
  progress.update({ done: 0, total: 200 });
  expect(text()).toBe('\rgate: reading 0 %\u001b[K');
  clock.now = 50;
  progress.update({ done: 10, total: 200 });
  expect(text()).toBe('');
  clock.now = 4000;
  progress.update({ done: 50, total: 200 });
  expect(text()).toBe('\rgate: reading 25 %, 12.0s left\u001b[K');
  progress.clear();
  expect(text()).toBe('\r\u001b[K');
});

test('says nothing of work that is soon done', () => {
  const { clock, progress, text } = screen({ delayMs: 300 });
  clock.now = 299;
  progress.update({ done: 1, total: 2 });
  progress.clear();
  expect(text()).toBe('');
  clock.now = 300;
  progress.update({ done: 1, total: 2 });
  expect(text()).toBe('\rgate: reading 50 %\u001b[K');
});

test.each([
  ['a pipe', { isTTY: false }],
  ['a terminal that cannot redraw', { env: { TERM: 'dumb' } }],
  ['one who wants no talk', { quiet: true }],
])('says nothing to %s', (_, given) => {
  const { progress, text } = screen(given);
  progress.update({ done: 1, total: 2 });
  progress.clear();
  expect(text()).toBe('');
});
