import * as z from 'zod';

/** How a connection reached gate: on the proxy's own port, or through the jail's route. */
export const Via = z.enum(['proxy', 'captured']);
export type Via = z.infer<typeof Via>;

/** `published`: opened from outside, to a server in the jail (`--publish`). */
export const TunnelVia = z.enum([...Via.options, 'published']);
export type TunnelVia = z.infer<typeof TunnelVia>;

/** Milliseconds, to the microsecond; a part that did not happen is absent. */
export const Timing = z.looseObject({
  dnsMs: z.number().optional(),
  connectMs: z.number().optional(),
  tlsMs: z.number().optional(),
  firstByteMs: z.number().optional(),
  totalMs: z.number(),
});
export type Timing = z.infer<typeof Timing>;

/** How an exchange or a tunnel ended. */
export const Outcome = z.enum([
  'complete',
  'denied',
  'client_aborted',
  'upstream_reset',
  'upstream_error',
  'timeout',
  'gate_stopped',
]);
export type Outcome = z.infer<typeof Outcome>;
