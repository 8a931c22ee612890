import { CONTACT } from './pii/contact.ts';
import { IDENTITY } from './pii/identity.ts';
import { MONEY } from './pii/money.ts';
import { PAPERS } from './pii/papers.ts';
import { ASSIGNED } from './secrets/assigned.ts';
import { CLOUD_KEYS } from './secrets/cloud.ts';
import { MODEL_KEYS } from './secrets/models.ts';
import { SERVICE_KEYS } from './secrets/services.ts';
import { STRUCTURED } from './secrets/structured.ts';
import type { Kind } from './types.ts';

/** Every kind that gate knows; `docs` and the tests count on the order being that of the tables. */
export const KINDS: readonly Kind[] = [
  ...MODEL_KEYS,
  ...CLOUD_KEYS,
  ...SERVICE_KEYS,
  ...STRUCTURED,
  ...ASSIGNED,
  ...CONTACT,
  ...MONEY,
  ...IDENTITY,
  ...PAPERS,
];
