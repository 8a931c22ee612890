import { expect, test } from 'vitest';
import { GateError } from '../../../src/core/errors.ts';
import { type Check, type CheckContext, fail, fine, found, warn } from '../../../src/doctor/check.ts';
import { runChecks } from '../../../src/doctor/runner.ts';

const context = (inside?: string): CheckContext => ({
  env: {},
  cwd: '/',
  paths: () => {
    throw new Error('no paths here');
  },
  root: () => '/',
  inside,
});
const check = (id: string, run: Check['run'], more: Partial<Check> = {}): Check => ({
  id,
  title: id.toUpperCase(),
  run,
  ...more,
});
const status = async (checks: readonly Check[], inside?: string) =>
  (await runChecks(checks, context(inside), 'no')).map((each) => `${each.id} ${each.status}`);

test('a check that throws is a failed check, with the next step that the error knows', async () => {
  const thrown = new GateError('x', 'it is broken', { hint: 'mend it' });
  const results = await runChecks(
    [
      check('known', () => Promise.reject(thrown)),
      check('unknown', () => {
        throw new TypeError('oops');
      }),
      check('later', () => fine('here')),
    ],
    context(),
    'no',
  );
  expect(results.map((each) => [each.status, each.problems[0]?.message, each.problems[0]?.fix])).toEqual([
    ['fail', 'it is broken', 'mend it'],
    ['fail', 'oops', expect.stringContaining('report it')],
    ['ok', undefined, undefined],
  ]);
});

test('a check that hangs is a failed check, is told to stop, and holds up no other', async () => {
  let isAborted = false;
  const hanging: Check = check(
    'hanging',
    (_, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          isAborted = true;
        });
      }),
    { limitMs: 20 },
  );
  const [first, second] = await runChecks([hanging, check('next', () => fine('here'))], context(), 'do');
  expect(first).toMatchObject({
    status: 'fail',
    hung: true,
    problems: [{ message: 'no answer within 0.02 s' }],
  });
  expect(second).toMatchObject({ status: 'ok', hung: false });
  expect(isAborted).toBe(true);
});

test('what stands on a failed or skipped check is skipped, what stands on a warning is not', async () => {
  const bad = check('bad', () => found([fail('broken', 'mend')], ''));
  const odd = check('odd', () => found([warn('strange', 'look')], ''));
  const on = (id: string, needs: string[]) => check(id, () => fine('here'), { needs });
  expect(await status([bad, odd, on('a', ['bad']), on('b', ['a']), on('c', ['odd'])])).toEqual([
    'bad fail',
    'odd warn',
    'a skip',
    'b skip',
    'c ok',
  ]);
});

test('inside a jail nothing is looked at that a jailed process cannot see', async () => {
  const outside = check('outside', () => fine('here'), { outsideOnly: true });
  expect(await status([outside], '01ARZ')).toEqual(['outside skip']);
  expect(await status([outside])).toEqual(['outside ok']);
});

test('repairs are done once and judged by the check itself, and one that fails is told beside what it left', async () => {
  let isBroken = true;
  let count = 0;
  const mend = {
    what: 'mend it',
    run: () => {
      isBroken = false;
      count += 1;
    },
  };
  const curable = check('curable', () => found(isBroken ? [fail('broken', 'mend', mend)] : [], 'whole'));
  const stubborn = check('stubborn', () =>
    found(
      [
        warn('odd', 'look', {
          what: 'lift it',
          run: () => {
            throw new Error('too heavy');
          },
        }),
      ],
      '',
    ),
  );
  const told = await runChecks([curable], context(), 'tell');
  expect(told[0]).toMatchObject({ status: 'fail', repaired: ['mend it'] });
  expect(count).toBe(0);
  const [cured, left] = await runChecks([curable, stubborn], context(), 'do');
  expect(count).toBe(1);
  expect(cured).toMatchObject({ status: 'ok', detail: 'whole', repaired: ['mend it'] });
  expect(left).toMatchObject({ status: 'fail', repaired: [] });
  expect(left?.problems.map(({ message }) => message)).toEqual(['odd', 'could not lift it: too heavy']);
});
