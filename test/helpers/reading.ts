import type { TestHome } from './product.ts';

/** An event as the reading commands print it; tests look at the fields they know. */
export interface AnyEvent {
  readonly id: string;
  readonly kind: string;
  readonly url?: string;
  readonly flags: readonly { readonly code: string; readonly dismissed: boolean }[];
  readonly [field: string]: unknown;
}

/** The objects that a reading command prints; it must end with 0. */
export async function readJson(home: TestHome, ...args: readonly string[]): Promise<AnyEvent[]> {
  const { exitCode, stdout, stderr } = await home.gate([...args, '--json']);
  if (exitCode !== 0) throw new Error(`gate ${args.join(' ')}: ${exitCode} ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AnyEvent);
}
