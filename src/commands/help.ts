import type { Command } from 'commander';
import { EXIT, GateError } from '../core/errors.ts';
import { command, type DefineCommand } from './command.ts';
import { TOPICS } from './help/topics.ts';
import { nearest } from './nearest.ts';

/** `gate help`: of the program, of a command, or a topic. */
export const defineHelp: DefineCommand = ({ io }) =>
  command('help', 'Show help for a command or a topic', [
    ['gate help', 'all commands and topics'],
    ['gate help run', 'a command'],
    ['gate help jail', 'what is different in the jail, and what to do about it'],
  ])
    .argument('[topic...]', 'a command, or a topic')
    .action(async (words: string[], _: object, self: Command) => {
      const program = self.parent ?? self;
      const topic = words.length === 1 ? TOPICS.find(({ name }) => name === words[0]) : undefined;
      const target = find(program, words);
      if (topic === undefined && target === undefined) throw unknown(words, program);
      if (topic !== undefined) io.stdout.write(await topic.read());
      // `passthrough` is both.
      if (topic !== undefined && target !== undefined) io.stdout.write('\n');
      target?.outputHelp();
    });

function find(program: Command, words: readonly string[]): Command | undefined {
  let at: Command | undefined = program;
  for (const word of words) at = at?.commands.find((each) => each.name() === word);
  return at;
}

function unknown(words: readonly string[], program: Command): GateError {
  const typed = words.join(' ');
  const names = [...TOPICS, ...program.commands.map((each) => ({ name: each.name() }))].map(
    ({ name }) => name,
  );
  const meant = nearest(words[0] ?? '', names);
  return new GateError('usage', `no help on '${typed}'`, {
    hint: meant === undefined || meant === words[0] ? 'gate help' : `Did you mean ${meant}?`,
    exitCode: EXIT.usage,
  });
}
