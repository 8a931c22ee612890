import { chmodSync, type Stats } from 'node:fs';
import { commandLine } from '../output/printable.ts';
import type { Repair } from './check.ts';

/** The permission bits of a file or folder. */
export function bitsOf({ mode }: Stats): number {
  return mode & 0o777;
}

/** Permission bits as people write them: `0600`. */
export function octal(bits: number): string {
  return bits.toString(8).padStart(4, '0');
}

/** Gives a file or folder the mode that it should have. */
export function setMode(path: string, mode: number): Repair {
  return { what: commandLine(['chmod', mode.toString(8), path]), run: () => chmodSync(path, mode) };
}
