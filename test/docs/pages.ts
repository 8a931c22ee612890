import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { allCommands, fullName } from '../../src/commands/global.ts';
import { TOPICS } from '../../src/commands/help/topics.ts';
import { Config, configReference } from '../../src/core/config.ts';
import { buildProgram } from '../../src/program.ts';
import { rulesPage } from './rules-page.ts';

/** The pages that are made from the program itself. `npm run docs` writes them, a test holds them. */
export function generatedPages(): Readonly<Record<string, string>> {
  return { 'docs/cli.md': cliPage(), 'docs/config.md': configPage(), 'docs/rules.md': rulesPage() };
}

/** The command tree as the program builds it, with help of a fixed width. */
export function commandTree(): Command {
  const nothing = new PassThrough();
  const io = { stdin: nothing, stdout: nothing, stderr: nothing, env: {}, cwd: '/' };
  return buildProgram({ io, finish: () => {} });
}

function cliPage(): string {
  const [program, ...commands] = allCommands(commandTree());
  const sections = commands.map((command) => `## ${fullName(command)}\n\n${fenced(helpText(command))}`);
  const topics = TOPICS.map(({ name, summary }) => `- \`gate help ${name}\`: ${summary}`);
  return [
    '# Commands',
    '',
    'Generated from the command tree by `npm run docs`: what `--help` prints.',
    '',
    'Data goes to stdout, talk goes to stderr. What an exit code means: [exit codes](exit-codes.md).',
    '',
    program === undefined ? '' : fenced(helpText(program)),
    ...sections,
    '## Topics\n',
    topics.join('\n'),
    '',
  ].join('\n');
}

function helpText(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
    getOutHelpWidth: () => 100,
  });
  command.outputHelp();
  return text;
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function configPage(): string {
  const rows = configReference();
  const sections = Object.entries(Config.shape).filter(([name]) => name !== 'version');
  return [
    '# Configuration',
    '',
    'Generated from the schema (`src/core/config.ts`) by `npm run docs`.',
    '',
    "`config.toml` lies in gate's config folder (`gate help environment`). It is optional, and so is every key but",
    '`version`. It is strict: an unknown key or a wrong type stops `gate run` with `file:line: key: reason`. It is read',
    'when a run starts. Times are in milliseconds.',
    '',
    '```toml',
    'version = 1',
    '',
    '[run]',
    'enforce = true',
    'deny = ["telemetry.example.com"]',
    'allowLocal = [11434]',
    '',
    '[jail]',
    'nestedNamespaces = false',
    '```',
    '',
    'The hosts of every run are better kept on the [lists](lists.md), which are read again while runs go on.',
    ...sections.flatMap(([name, schema]) => [
      '',
      `## [${name}]`,
      '',
      schema.description ?? '',
      '',
      '| key | type | default | meaning |',
      '| --- | --- | --- | --- |',
      ...rows.filter(({ key }) => key.startsWith(`${name}.`)).map(configRow),
    ]),
    '',
  ].join('\n');
}

function configRow({ key, type, default: value, description }: ReturnType<typeof configReference>[number]) {
  const name = key.slice(key.indexOf('.') + 1);
  const cells = [`\`${name}\``, type, value === undefined ? '' : `\`${value}\``, description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
