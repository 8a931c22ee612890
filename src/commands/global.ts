import { type Command, Option } from 'commander';

/** The options that every command takes, before its name or after it. */
export interface GlobalFlags {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-color`; commander says true where nothing was said. */
  readonly color?: boolean;
}

const NAMES = ['quiet', 'verbose', 'color'] as const;

const GROUP = 'Global options:';

const options = () => [
  new Option('-q, --quiet', 'say nothing but errors on stderr'),
  new Option('-v, --verbose', 'say more; name the causes of an error'),
  new Option('--no-color', 'print without colours'),
];

/**
 * Gives the global options to the whole tree. What stands before a command's name arrives among the command's own
 * options, so that an action looks in one place. `onFlags` is told what counts before an action runs.
 */
export function addGlobalFlags(program: Command, onFlags: (flags: GlobalFlags) => void): void {
  for (const command of allCommands(program)) {
    for (const option of options()) {
      const taken = command.options.some(
        ({ long, short }) => long === option.long || (short !== undefined && short === option.short),
      );
      if (!taken) command.addOption(option.helpGroup(GROUP));
    }
    command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(GROUP));
    // `gate help lists suggest` does it, and commander's own would have no examples.
    command.helpCommand(false);
    // Else `gate lists suggest --json` would give its option to `lists`.
    if (command.commands.length > 0) command.enablePositionalOptions();
  }
  program.hook('preAction', (_, action) => {
    for (let above = action.parent; above !== null; above = above.parent) {
      for (const name of NAMES) {
        if (above.getOptionValueSource(name) !== 'cli' || action.getOptionValueSource(name) === 'cli')
          continue;
        action.setOptionValueWithSource(name, above.getOptionValue(name), 'cli');
      }
    }
    onFlags(action.opts<GlobalFlags>());
  });
}

/** A command and all below it, in the order of help. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** `gate lists suggest`: a command's name with those above it. */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
