/**
 * Lays out rows under a header, columns aligned left and two spaces apart; cells must be printable already.
 * Widths count UTF-16 units, which is right for what gate prints here: ids, hosts, numbers, command lines.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}
