import type { Io } from '../core/io.ts';
import { type Paint, paint, wantsColor } from '../output/color.ts';
import type { GlobalFlags } from './global.ts';

/** How a command writes to stdout for people. */
export interface Look {
  readonly paint: Paint;
  /** Columns of the terminal; undefined where stdout is none, and lines may be as long as they are. */
  readonly width: number | undefined;
}

/** What stdout is at this moment: a terminal may be made wider while something is followed. */
export function lookOf({ env, stdout }: Io, { color }: GlobalFlags): Look {
  return {
    paint: paint(wantsColor({ env, isTTY: stdout.isTTY, color })),
    width: stdout.isTTY === true ? (stdout.columns ?? 80) : undefined,
  };
}
