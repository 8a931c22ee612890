import { CONTACT } from './pii/contact.ts';
import { IDENTITY } from './pii/identity.ts';
import { MONEY } from './pii/money.ts';
import { PAPERS } from './pii/papers.ts';
import { SECRETS } from './secrets/kinds.ts';
import type { Kind } from './types.ts';

/** Every kind that gate knows; `docs` and the tests count on the order being that of the tables. */
export const KINDS: readonly Kind[] = [...SECRETS, ...CONTACT, ...MONEY, ...IDENTITY, ...PAPERS];
