import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allCommands, fullName } from '../../../src/commands/global.ts';
import { TOPICS } from '../../../src/commands/help/topics.ts';
import { Config, configReference } from '../../../src/core/config.ts';
import { parseConfig } from '../../../src/policy/config.ts';
import { parseList } from '../../../src/policy/pattern.ts';
import { CA_VARIABLES } from '../../../src/supervisor/trust-env.ts';
import { commandTree, generatedPages } from '../../docs/pages.ts';

test.each(Object.entries(generatedPages()))(
  '%s says what the program says (npm run docs writes it)',
  (file, text) => {
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);

describe('every command', () => {
  const commands = allCommands(commandTree()).slice(1);
  const page = readFileSync('docs/cli.md', 'utf8');

  // promise: cmd.help
  test.each(commands.map((command) => [fullName(command), command] as const))(
    '%s is documented',
    (name, command) => {
      const section = page.split(/^## /m).find((each) => each.startsWith(`${name}\n`)) ?? '';
      expect(section).toMatch(/```text\nExamples:\n {2}\$ /);
      expect(command.description()).not.toBe('');
      for (const { long, description } of command.options) {
        expect(description, `${name} ${long}`).not.toBe('');
        expect(section).toContain(long);
      }
      for (const argument of command.registeredArguments) {
        expect(argument.description, `${name} ${argument.name()}`).not.toBe('');
      }
    },
  );

  test.each(commands.map((command) => [fullName(command), command] as const))(
    '%s takes the global options',
    (_, command) => {
      const longs = command.options.map(({ long }) => long);
      expect(longs).toEqual(expect.arrayContaining(['--quiet', '--verbose', '--no-color']));
    },
  );
});

// promise: config.keys
test('every option of gate run has a key, as far as a key makes sense', () => {
  const run = allCommands(commandTree()).find((each) => each.name() === 'run');
  const keys = new Set(configReference().map(({ key }) => key.split('.').at(-1)));
  const names = run?.options.map((option) => option.attributeName()) ?? [];
  // Colours and talk are of the terminal in front of the person, not of the machine.
  const spelled = (name: string) => (['allowSocket', 'label'].includes(name) ? `${name}s` : name);
  const missing = names.filter((name) => !['verbose', 'color'].includes(name) && !keys.has(spelled(name)));
  expect(missing).toEqual([]);
});

test('the example in docs/config.md is a valid file, and every section has a description', () => {
  const page = readFileSync('docs/config.md', 'utf8');
  const example = /```toml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(parseConfig(example, 'example').run.enforce).toBe(true);
  for (const [name, schema] of Object.entries(Config.shape)) expect(schema.description, name).toBeTruthy();
});

test('the example in docs/lists.md is a valid list', () => {
  const page = readFileSync('docs/lists.md', 'utf8');
  const example = /```text\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const { lines, errors } = parseList(example, 'example');
  expect(errors).toEqual([]);
  expect(lines.length).toBeGreaterThan(5);
});

describe('the topics', () => {
  test.each(TOPICS.map((topic) => [topic.name, topic] as const))('%s fits a terminal', async (_, topic) => {
    const text = await topic.read();
    expect(text.length).toBeGreaterThan(400);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  test('every option and command that they name exists', async () => {
    const commands = allCommands(commandTree());
    const longs = new Set(commands.flatMap(({ options }) => options.map(({ long }) => long)));
    const names = new Set(commands.map(fullName));
    const texts = await Promise.all(TOPICS.map((topic) => topic.read()));
    for (const text of texts) {
      const gates = text.replace(/git config --global[^\n]*/g, '');
      for (const [option] of gates.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) expect(longs).toContain(option);
      for (const [, name] of gates.matchAll(/(?:`|^ {2,})gate ([a-z]+)/gm))
        expect(names).toContain(`gate ${name}`);
    }
  });

  test.each([
    [/OAuth/, '--publish PORT'],
    [/^Keyrings/, '--allow-socket'],
    [/^Docker/, '--allow-socket /var/run/docker.sock'],
    [/^ssh/, '--passthrough github.com:22'],
    [/^sudo/, 'gain nothing'],
    [/^Dev servers/, '--publish 3000'],
    [/^Databases .*localhost/, '--passthrough localhost:5432'],
    [/IDE/, 'variables that name them are taken out'],
    [/^Browsers/, 'Headless browsers start'],
  ])('jail answers what is noticed in the first hour: %s', async (heading, answer) => {
    const text = (await TOPICS.find(({ name }) => name === 'jail')?.read()) ?? '';
    const sections = text.split('\n\n').filter((section) => heading.test(section.split('\n')[0] ?? ''));
    expect(sections).toEqual([expect.stringContaining(answer)]);
  });

  test('environment names every CA variable that is set', async () => {
    const text = await TOPICS.find(({ name }) => name === 'environment')?.read();
    for (const { name } of CA_VARIABLES) expect(text).toContain(`  ${name}\n`);
  });
});
