import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { madeUpKey, makeHome } from '../../../src/demo/home.ts';

test('a home of its own, with nothing of the caller in its environment, and gone when removed', () => {
  const home = makeHome({ PATH: '/bin', OPENAI_API_KEY: 'of-the-caller', GATE_HOME: '/x', HOME: '/home/x' });
  try {
    expect(home.env).toMatchObject({ PATH: '/bin', GATE_HOME: home.dir, HOME: join(home.dir, 'work') });
    expect(JSON.stringify(home.env)).not.toContain('of-the-caller');
    expect(home.paths.config.startsWith(home.dir)).toBe(true);
    expect(readFileSync(home.paths.allowlist, 'utf8')).toContain('\nmodel.test\n');
    expect(statSync(home.dir).mode & 0o777).toBe(0o700);
    expect(existsSync(home.paths.caKey)).toBe(true);
  } finally {
    home.remove();
  }
  expect(existsSync(home.dir)).toBe(false);
});

test('the made-up key has the shape of a real one, and is another each time', () => {
  expect(madeUpKey()).toMatch(/^sk-ant-api03-[\w-]{93}AA$/);
  expect(madeUpKey()).not.toBe(madeUpKey());
});
