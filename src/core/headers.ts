import * as z from 'zod';

/** Header fields in wire order with wire case, values decoded as latin1. */
export const HeaderList = z.array(z.tuple([z.string(), z.string()]));
export type HeaderList = z.infer<typeof HeaderList>;
