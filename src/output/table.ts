/**
 * Lays out rows under a header, columns aligned left and two spaces apart; cells must be printable already.
 * Widths count UTF-16 units, which is right for what gate prints here: ids, hosts, numbers, command lines.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = columnWidths(all, header.length);
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

/** The widest cell of each column, in UTF-16 units. A list may have more rows than a call may have arguments. */
export function columnWidths(rows: readonly (readonly string[])[], columns: number): number[] {
  const widths = new Array<number>(columns).fill(0);
  for (const row of rows) {
    for (const [i, width] of widths.entries()) widths[i] = Math.max(width, row[i]?.length ?? 0);
  }
  return widths;
}
