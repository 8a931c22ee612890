import { Argument, type Command } from 'commander';
import { command, type DefineCommand } from './command.ts';

/** `gate completion`: a script that completes gate's commands and options in a shell. */
export const defineCompletion: DefineCommand = ({ io }) =>
  command('completion', 'Print a completion script for a shell', [
    ['source <(gate completion bash)', 'in ~/.bashrc'],
    ['source <(gate completion zsh)', 'in ~/.zshrc, after compinit'],
    ['gate completion fish > ~/.config/fish/completions/gate.fish', 'once'],
  ])
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish', _: object, self: Command) => {
      const { completionNodes } = await import('./completion/nodes.ts');
      const nodes = completionNodes(self.parent ?? self);
      io.stdout.write(await script(shell, nodes));
    });

type Nodes = readonly import('./completion/nodes.ts').CompletionNode[];

async function script(shell: 'bash' | 'zsh' | 'fish', nodes: Nodes): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('./completion/bash.ts')).bashCompletion(nodes);
    case 'zsh':
      return (await import('./completion/zsh.ts')).zshCompletion(nodes);
    case 'fish':
      return (await import('./completion/fish.ts')).fishCompletion(nodes);
  }
}
