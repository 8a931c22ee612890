import * as z from 'zod';

/** The policy's word on one request, tunnel or refusal. */
export const Decision = z.looseObject({
  verdict: z.enum(['forward', 'deny']),
  reason: z.string(),
  list: z.enum(['allow', 'deny', 'passthrough']).optional(),
  pattern: z.string().optional(),
  /** The pattern is an option of the run (`--deny`, `run.deny`, a profile's host), and no line of the list's file. */
  ofRun: z.literal(true).optional(),
});
export type Decision = z.infer<typeof Decision>;
