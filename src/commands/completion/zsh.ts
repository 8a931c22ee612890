import type { CompletionNode, CompletionOption, CompletionWord } from './nodes.ts';

/** A completion script for zsh, to be sourced or to be put into a folder of \`fpath\` as \`_gate\`. */
export function zshCompletion(nodes: readonly CompletionNode[]): string {
  const paths = nodes.flatMap(({ path, commands }) => commands.map((name) => `'${path} ${name}'`));
  const ends = nodes.filter(({ wraps }) => wraps).map(({ path }) => `'${path} --'`);
  return `#compdef gate
# gate completion for zsh: source <(gate completion zsh)
_gate() {
  local at=gate i
  local -a items
  for ((i = 2; i < CURRENT; i++)); do
    case "$at $words[i]" in
      ${paths.join('|')}) at="$at $words[i]" ;;
      ${ends.join('|')})
        # After -- comes another program's command line.
        shift i words; ((CURRENT -= i)); _normal; return ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${values(nodes)}
  esac
  case "$at" in
${nodes.map(entry).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_gate" ]; then _gate "$@"; else compdef _gate gate; fi
`;
}

function values(nodes: readonly CompletionNode[]): string {
  return nodes
    .flatMap(({ path, options }) =>
      options.flatMap(({ word, short, value }) => {
        if (value === undefined) return [];
        const keys = [word, ...(short === undefined ? [] : [`-${short}`])].map((name) => `'${path} ${name}'`);
        const reply =
          value === 'file'
            ? '_files; '
            : value === 'text'
              ? "_message 'value'; "
              : `compadd -- ${value.join(' ')}; `;
        return [`    ${keys.join('|')}) ${reply}return ;;`];
      }),
    )
    .join('\n');
}

function entry({ path, words, options, files }: CompletionNode): string {
  const otherwise = files ? '_files' : `items=(${items(words)}); _describe 'argument' items`;
  return `    '${path}')
      if [[ $words[CURRENT] == -* ]]; then items=(${items(options)}); _describe -o 'option' items
      else ${otherwise}; fi ;;`;
}

function items(words: readonly (CompletionWord | CompletionOption)[]): string {
  return words.map(({ word, what }) => quoted(`${word.replaceAll(':', '\\:')}:${what}`)).join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
