/** A quantile (0 to 1) of values in any order; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** To three significant digits. */
export function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : Number.NaN;
}
