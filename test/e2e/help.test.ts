import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestHome, testHome } from '../helpers/product.ts';
import { skipBecause } from '../helpers/skips.ts';

let home: TestHome;
beforeAll(() => {
  home = testHome();
});
afterAll(() => home.remove());

describe('gate help', () => {
  // promise: completion
  test('explains topics, commands, and what is both', async () => {
    expect((await home.gate(['help'])).stdout).toContain('Topics (gate help TOPIC):');
    expect((await home.gate(['help', 'jail'])).stdout).toContain('Databases and services on localhost');
    expect((await home.gate(['help', 'run'])).stdout).toBe((await home.gate(['run', '--help'])).stdout);
    expect((await home.gate(['help', 'lists', 'suggest'])).stdout).toContain('Usage: gate lists suggest');
    const both = (await home.gate(['help', 'passthrough'])).stdout;
    expect(both).toMatch(/^The passthrough list/);
    expect(both).toContain('Usage: gate passthrough');
  });

  // promise: cmd.typo
  test('a mistyped topic is answered with the likely one', async () => {
    expect(await home.gate(['help', 'alowlist'])).toMatchObject({
      exitCode: 2,
      stderr: "gate: no help on 'alowlist'\n  Did you mean allowlist?\n",
    });
    expect((await home.gate(['help', 'zzzzzzzz'])).stderr).toContain('gate help');
  });
});

test('a failure of gate run is 125 also behind an option of gate itself, and --verbose names causes', async () => {
  expect((await home.gate(['-q', 'run', '--nonsense', '--', 'true'])).exitCode).toBe(125);
  const quiet = await home.gate(['-q', 'run', '--', 'true']);
  expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
  writeFileSync(join(home.dir, 'not-a-folder'), '');
  const env = { GATE_HOME: join(home.dir, 'not-a-folder') };
  const told = await home.gate(['-v', 'allow', 'a.example'], { env });
  expect(told.stderr).toContain('caused by: ');
});

describe('completion', () => {
  const BASH = `
    source "$1"
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gate; echo "\${COMPREPLY[*]}"; }
    try gate ca ''
    try gate run --enf
    try gate lists suggest --r
    try gate help ja
    try gate completion ''
    try gate run --enforce -- /etc/hostn`;

  /** Not everywhere, and nothing but this test asks for it. */
  const FISH = 'fish';
  const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

  test('bash completes commands, options, values, and the jailed command', async () => {
    const file = join(home.dir, 'gate.bash');
    writeFileSync(file, (await home.gate(['completion', 'bash'])).stdout);
    const { stdout } = spawnSync('bash', ['--norc', '-c', BASH, 'bash', file], { encoding: 'utf8' });
    expect(stdout.split('\n')).toEqual([
      'show path regenerate install uninstall',
      '--enforce',
      '--run',
      'jail',
      'bash zsh fish',
      expect.stringMatching(/^(\/etc\/hostname)?$/),
      '',
    ]);
  });

  test('fish completes commands with what they are', skipBecause(!has(FISH) && 'no fish here'), async () => {
    const file = join(home.dir, 'gate.fish');
    writeFileSync(file, (await home.gate(['completion', 'fish'])).stdout);
    const complete = (line: string) =>
      spawnSync(FISH, ['-N', '-c', `source ${file}; complete -C '${line}'`], {
        encoding: 'utf8',
        env: home.env,
      }).stdout;
    expect(complete('gate ca reg')).toMatch(/^regenerate\tReplace the local CA/);
    expect(complete('gate run --enf')).toMatch(/^--enforce\t/);
    expect(complete('gate run -- basena')).toMatch(/^basename/);
  });

  test('zsh can read the script', skipBecause(!has('zsh') && 'no zsh here'), async () => {
    const file = join(home.dir, '_gate');
    writeFileSync(file, (await home.gate(['completion', 'zsh'])).stdout);
    const script = `compdef() { print "compdef $*"; }; source ${file}; whence -w _gate`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'compdef _gate gate\n_gate: function\n', stderr: '' });
  });

  test('an unknown shell is wrong usage that names the known ones', async () => {
    const result = await home.gate(['completion', 'csh']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('bash, zsh, fish');
  });
});
