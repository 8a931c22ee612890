import * as z from 'zod';
import { RULE_CODES } from './rules.ts';

/** `<RUN>:<seq>` with the run's whole id. */
const ExchangeId = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}:\d+$/, 'expected <run id>:<number>');

/** One flag, or the flags of one exchange, that a person has looked at and wants no more to hear of. */
export const Dismissal = z
  .strictObject({
    exchange: ExchangeId.optional(),
    host: z.string().min(1).optional(),
    /** Absent: every flag of the exchange. */
    code: z.enum(RULE_CODES).optional(),
    reason: z.string().regex(/\S/, 'expected a reason'),
    /** RFC 3339. */
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ exchange, host }) => (exchange === undefined) !== (host === undefined), {
    message: "expected either 'exchange' or 'host'",
  })
  .refine(({ host, code }) => host === undefined || code !== undefined, {
    message: "a 'host' needs a 'code'",
  });
export type Dismissal = z.infer<typeof Dismissal>;

/** The file `dismissals.json`. */
export const Dismissals = z.strictObject({ version: z.literal(1), dismissals: z.array(Dismissal) });
export type Dismissals = z.infer<typeof Dismissals>;
