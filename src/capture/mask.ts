import type { HeaderList } from '../core/headers.ts';
import { createMaskSecret, type MaskSecret } from '../core/mask.ts';
import { maskArguments } from './mask-argv.ts';
import { createHeaderMask } from './mask-headers.ts';
import { createTextMask } from './mask-text.ts';
import { createUrlMask } from './mask-url.ts';

/** Takes credentials out of what goes into the ledger. Bodies are not its business. */
export interface Masker {
  /** One secret by itself. */
  secret: MaskSecret;
  headers(list: HeaderList): HeaderList;
  /** A URL, absolute or not. What replaces a secret is percent-encoded: the URL stays one. */
  url(url: string): string;
  /** A command line, argument by argument. */
  argv(argv: readonly string[]): string[];
}

/** Makes the masker of an installation; `key` is `loadMaskKey`'s. */
export function createMasker(key: Buffer): Masker {
  const secret = createMaskSecret(key);
  const text = createTextMask(secret);
  const url = createUrlMask(secret);
  const headers = createHeaderMask({ secret, text, url });
  return { secret, headers, url, argv: (argv) => maskArguments(argv, { secret, text, url, headers }) };
}
