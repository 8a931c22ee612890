/**
 * Lays out rows under a header, columns aligned left and two spaces apart; cells must be printable already.
 * Widths count UTF-16 units, which is right for what gate prints here: ids, hosts, numbers, command lines.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = columnWidths(all);
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

/** The widest cell of each column, in UTF-16 units. A list may have more rows than a call may have arguments. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return widths;
}
