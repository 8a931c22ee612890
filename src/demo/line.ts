import * as z from 'zod';
import { ATTEMPTS, CALLS } from './plan.ts';

/** What the sample agent says of itself: one JSON object a line on its stdout. */
export const AgentLine = z.discriminatedUnion('type', [
  /** The first event of the stream is here. */
  z.object({ type: z.literal('first-event') }),
  /** `result` is `done`, an address, or the code of the error that it met. */
  z.object({ type: z.literal('attempt'), name: z.enum(ATTEMPTS), result: z.string() }),
  z.object({
    type: z.literal('call'),
    name: z.enum(CALLS),
    /** Absent where no answer came; `error` says why. */
    status: z.int().optional(),
    error: z.string().optional(),
    /** Of a stream: how many events it had. */
    events: z.int().optional(),
    /** Of a refusal: gate's mark, and its message for the agent. */
    block: z.string().optional(),
    message: z.string().optional(),
  }),
]);
export type AgentLine = z.infer<typeof AgentLine>;
