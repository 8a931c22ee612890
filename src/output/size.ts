const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes, short enough for a column: `512 B`, `48.2 kB`, `6.3 MB` (powers of 1000). */
export function shortSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
