import { InvalidArgumentError } from 'commander';

/** Reads `--limit`: a whole number from 1, or `all`. */
export function parseLimit(text: string): number {
  if (text === 'all') return Number.MAX_SAFE_INTEGER;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("Give a whole number from 1, or 'all'.");
  return Number(text);
}
