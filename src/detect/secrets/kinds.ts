import type { Kind } from '../types.ts';
import { ASSIGNED } from './assigned.ts';
import { CLOUD_KEYS } from './cloud.ts';
import { MODEL_KEYS } from './models.ts';
import { SERVICE_KEYS } from './services.ts';
import { STRUCTURED } from './structured.ts';

/** Every kind of secret that gate knows. */
export const SECRETS: readonly Kind[] = [
  ...MODEL_KEYS,
  ...CLOUD_KEYS,
  ...SERVICE_KEYS,
  ...STRUCTURED,
  ...ASSIGNED,
];
