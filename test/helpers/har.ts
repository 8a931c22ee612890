import * as z from 'zod';

/**
 * HTTP Archive 1.2 as its specification words it (http://www.softwareishard.com/blog/har-12-spec/), written without
 * a look at the exporter: required fields are required, unknown ones must begin with an underscore.
 */
const Milliseconds = z.number().min(0);
const OrUnknown = z.number().refine((value) => value >= 0 || value === -1);
const When = z.iso.datetime({ offset: true });

/** An object of the format; further fields only with an underscore. */
function object<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .looseObject({ ...shape, comment: z.string().optional() })
    .refine(
      (value) => Object.keys(value).every((key) => key in shape || key === 'comment' || key.startsWith('_')),
      { error: 'a field that HAR does not have' },
    );
}

const NameValue = object({ name: z.string(), value: z.string() });
const Cookie = object({
  name: z.string(),
  value: z.string(),
  path: z.string().optional(),
  domain: z.string().optional(),
  expires: When.optional(),
  httpOnly: z.boolean().optional(),
  secure: z.boolean().optional(),
});
const common = {
  httpVersion: z.string(),
  cookies: z.array(Cookie),
  headers: z.array(NameValue),
  headersSize: z.int().min(-1),
  bodySize: z.int().min(-1),
};
const Request = object({
  ...common,
  method: z.string().min(1),
  url: z.url(),
  queryString: z.array(NameValue),
  postData: object({ mimeType: z.string(), params: z.array(NameValue), text: z.string() }).optional(),
});
const Response = object({
  ...common,
  status: z.int(),
  statusText: z.string(),
  redirectURL: z.string(),
  content: object({
    size: z.int().min(0),
    compression: z.int().optional(),
    mimeType: z.string(),
    text: z.string().optional(),
    encoding: z.string().optional(),
  }),
});
const Timings = object({
  blocked: OrUnknown.optional(),
  dns: OrUnknown.optional(),
  connect: OrUnknown.optional(),
  send: Milliseconds,
  wait: Milliseconds,
  receive: Milliseconds,
  ssl: OrUnknown.optional(),
});
const Entry = object({
  startedDateTime: When,
  time: Milliseconds,
  request: Request,
  response: Response,
  cache: z.strictObject({}),
  timings: Timings,
  serverIPAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
}).refine(({ time, timings: { blocked = -1, dns = -1, connect = -1, send, wait, receive } }) => {
  // "time == blocked + dns + connect + send + wait + receive", without what is not known; ssl is within connect.
  const sum = [blocked, dns, connect, send, wait, receive].reduce((all, each) => all + Math.max(0, each), 0);
  return Math.abs(sum - time) < 0.01;
}, 'time is not the sum of the timings');

export const Har = z.strictObject({
  log: object({
    version: z.literal('1.2'),
    creator: object({ name: z.string(), version: z.string() }),
    entries: z.array(Entry),
  }),
});
