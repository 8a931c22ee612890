import * as z from 'zod';
import { Sha256 } from './sha256.ts';

/**
 * An extent of `bodies.pack`: [file offset of the frame, first byte within the frame's content, bytes]. A frame's
 * content is what its body has there: the frame's own bytes, decompressed, and stretches of earlier frames that
 * it refers to. The parts of a body, read in order, are its stored bytes.
 */
export const BodyPart = z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]);
export type BodyPart = z.infer<typeof BodyPart>;

/** Where a body's bytes are. `bytes` and `sha256` are of the wire, whatever `stored` says. */
export const Body = z.looseObject({
  bytes: z.int().min(0),
  sha256: Sha256,
  type: z.string().optional(),
  encoding: z.string().optional(),
  stored: z.enum(['wire', 'decoded']),
  storedSha256: Sha256.optional(),
  parts: z.array(BodyPart),
});
export type Body = z.infer<typeof Body>;

/** In a record that is written while the body comes: where its bytes are stands in `end`. */
export const OpenBody = z.looseObject({ open: z.literal(true) });
