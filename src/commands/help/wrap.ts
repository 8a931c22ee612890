const WIDTH = 78;

/** Breaks a text at spaces, behind `start`; the lines after the first are as far in as it is. Ends in LF. */
export function wrapped(start: string, text: string): string {
  const lines: string[] = [];
  let line = start;
  for (const word of text.split(' ')) {
    const isFirst = line.length === start.length;
    if (!isFirst && line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = ' '.repeat(start.length) + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return `${[...lines, line].join('\n')}\n`;
}
