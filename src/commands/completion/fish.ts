import type { CompletionNode, CompletionOption } from './nodes.ts';

/** A completion script for fish. */
export function fishCompletion(nodes: readonly CompletionNode[]): string {
  const paths = nodes.flatMap(({ path, commands }) => commands.map((name) => `'${path} ${name}'`));
  const ends = nodes.filter(({ wraps }) => wraps).map(({ path }) => `'${path} --'`);
  return `# gate completion for fish: gate completion fish > ~/.config/fish/completions/gate.fish
function __gate_at
    set -l at gate
    set -l words (commandline -opc)
    for word in $words[2..-1]
        switch "$at $word"
            case ${paths.join(' ')}
                set at "$at $word"
            case ${ends.join(' ')}
                set at "$at --"
                break
        end
    end
    test "$at" = "$argv[1]"
end
function __gate_wrapped
    set -l words (commandline -opc) (commandline -ct)
    set -l dashes (contains -i -- -- $words)
    complete -C (string join ' ' -- $words[(math $dashes + 1)..-1])
end
complete -c gate -f
${nodes.map(entry).join('\n')}
`;
}

function entry({ path, words, options, files, wraps }: CompletionNode): string {
  const start = `complete -c gate -n ${quoted(`__gate_at ${quoted(path)}`)}`;
  return [
    ...words.map(({ word, what }) => `${start} -a ${quoted(word)} -d ${quoted(what)}`),
    ...options.map((option) => `${start} ${optionWords(option)}`),
    ...(files ? [`${start} -F`] : []),
    ...(wraps
      ? [`complete -c gate -n ${quoted(`__gate_at ${quoted(`${path} --`)}`)} -a '(__gate_wrapped)'`]
      : []),
  ].join('\n');
}

function optionWords({ long, short, what, value }: CompletionOption): string {
  const names = `-l ${long}${short === undefined ? '' : ` -s ${short}`}`;
  const wants =
    value === undefined
      ? ''
      : value === 'file'
        ? ' -r -F'
        : value === 'text'
          ? ' -x'
          : ` -x -a ${quoted(value.join(' '))}`;
  return `${names}${wants} -d ${quoted(what)}`;
}

/** In single quotes, fish reads \\\\ and \\' only. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
