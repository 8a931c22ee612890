import type { CompletionNode } from './nodes.ts';

/** A completion script for bash 3.2 and newer. */
export function bashCompletion(nodes: readonly CompletionNode[]): string {
  return `# gate completion for bash: source <(gate completion bash)
_gate() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=gate i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
${steps(nodes)}
${wrappers(nodes)}
    esac
  done
  case "$at $prev" in
${values(nodes)}
  esac
  case "$at" in
${nodes.map(entry).join('\n')}
  esac
}
complete -F _gate gate
`;
}

function steps(nodes: readonly CompletionNode[]): string {
  const paths = nodes.flatMap(({ path, commands }) => commands.map((name) => `'${path} ${name}'`));
  return `      ${paths.join('|')}) at="$at \${COMP_WORDS[i]}" ;;`;
}

/** After \`--\` comes another program's command line: bash-completion's own if it is there. */
function wrappers(nodes: readonly CompletionNode[]): string {
  const ends = nodes.filter(({ wraps }) => wraps).map(({ path }) => `'${path} --'`);
  return `      ${ends.join('|')})
        if declare -F _command_offset >/dev/null; then _command_offset $((i + 1))
        elif ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$cur"))
        else COMPREPLY=($(compgen -f -- "$cur")); fi
        return ;;`;
}

function values(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ word, short, value }) => {
        if (value === undefined) return [];
        const keys = [word, ...(short === undefined ? [] : [`-${short}`])].map((name) => `'${path} ${name}'`);
        const reply =
          value === 'file'
            ? 'COMPREPLY=($(compgen -f -- "$cur")); '
            : value === 'text'
              ? ''
              : `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur")); `;
        return [`    ${keys.join('|')}) ${reply}return ;;`];
      }),
    )
    .join('\n');
}

function entry({ path, words, options, files }: CompletionNode): string {
  const flags = options.map(({ word }) => word).join(' ');
  const plain = words.map(({ word }) => word).join(' ');
  const otherwise = files
    ? 'COMPREPLY=($(compgen -f -- "$cur"))'
    : `COMPREPLY=($(compgen -W '${plain}' -- "$cur"))`;
  return `    '${path}')
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$cur"))
      else ${otherwise}; fi ;;`;
}
