import * as z from 'zod';

/** A SHA-256, in hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
