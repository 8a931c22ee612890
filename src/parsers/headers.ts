import type { HeaderList } from '../core/headers.ts';

/** The first value of a header (lower-case name). */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1];
}
