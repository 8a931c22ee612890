import { Body } from '../core/body.ts';
import type { HeaderList } from '../core/headers.ts';
import { MASKED } from '../core/mask.ts';
import type { PackReader } from '../store/pack-reader.ts';
import type { EventRecords } from '../store/query/records.ts';
import type { Scanner } from './decode/scan.ts';
import { maskText, type ShownBody, showBody } from './shown.ts';

/** One exchange as it may be shown: nothing in it is a secret that the detectors know. */
export interface ExchangeView {
  /** Where it went, as the client asked for it. */
  readonly url?: string;
  readonly address?: string;
  readonly request?: {
    readonly headers: HeaderList;
    readonly body?: ShownBody;
    readonly trailers?: HeaderList;
  };
  readonly response?: {
    readonly status: number;
    readonly statusText?: string;
    readonly headers: HeaderList;
    readonly upstream?: { readonly address: string; readonly protocol?: string | undefined };
    readonly body?: ShownBody;
    readonly trailers?: HeaderList;
  };
  /** WebSocket messages. */
  readonly frames?: readonly {
    readonly n: number;
    readonly from: 'client' | 'server';
    readonly opcode: number;
    readonly at: string;
    readonly body?: ShownBody;
  }[];
  /** The texts of model calls: see `content` in docs/data-format.md. */
  readonly content?: readonly unknown[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface ViewDeps {
  /** Undefined where the run has none: then no body can be read. */
  readonly pack: PackReader | undefined;
  readonly scanner: Scanner;
  /** Bytes of a body that are read. */
  readonly limit: number;
}

/** Reads, decodes and masks what the ledger and the pack have of an exchange. Never rejects for a damaged body. */
export async function viewExchange(records: EventRecords, deps: ViewDeps): Promise<ExchangeView> {
  const { request, end } = records;
  const body = (given: unknown) => showBody(deps.pack, Body.safeParse(given).data, deps.scanner, deps.limit);
  const sent = await body(end?.requestBody ?? request?.body);
  const frames = [];
  for (const { n, from, opcode, at, body: given } of records.messages) {
    const shown = await body(given);
    frames.push({ n, from, opcode, at, ...(shown === undefined ? {} : { body: shown }) });
  }
  const content = await contents(records, deps);
  const response = await responseView(records, deps, await body(end?.responseBody));
  return {
    ...(request === undefined ? {} : { url: maskText(deps.scanner, request.url).text }),
    ...(request?.address === undefined ? {} : { address: request.address }),
    ...(request === undefined
      ? {}
      : {
          request: {
            headers: maskHeaders(deps, request.headers),
            ...(sent === undefined ? {} : { body: sent }),
            ...(end?.requestTrailers === undefined
              ? {}
              : { trailers: maskHeaders(deps, end.requestTrailers) }),
          },
        }),
    ...(response === undefined ? {} : { response }),
    ...(frames.length === 0 ? {} : { frames }),
    ...(content.length === 0 ? {} : { content }),
    ...(end?.error === undefined ? {} : { error: { code: end.error.code, message: end.error.message } }),
  };
}

async function responseView(
  { response, end }: EventRecords,
  deps: ViewDeps,
  body: ShownBody | undefined,
): Promise<ExchangeView['response'] | undefined> {
  if (response === undefined) return undefined;
  const { status, statusText, headers, upstream } = response;
  return {
    status,
    ...(statusText === undefined ? {} : { statusText }),
    headers: maskHeaders(deps, headers),
    ...(upstream === undefined ? {} : { upstream }),
    ...(body === undefined ? {} : { body }),
    ...(end?.trailers === undefined ? {} : { trailers: maskHeaders(deps, end.trailers) }),
  };
}

/** What was masked when it was written stays as it is. */
function maskHeaders({ scanner }: ViewDeps, headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => {
    if (MASKED.test(value)) return [name, value];
    // The name is what tells some secrets from other words.
    const start = `${name}: `;
    const { text } = maskText(scanner, start + value);
    return [name, text.startsWith(start) ? text.slice(start.length) : text];
  });
}

async function contents({ analyses }: EventRecords, { pack, scanner, limit }: ViewDeps): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { content } of analyses) {
    if (content === null || content.bytes === 0 || pack === undefined) continue;
    try {
      const bytes = await pack.read(content, limit);
      found.push(maskStrings(scanner, JSON.parse(bytes.toString())));
    } catch {
      // Longer than what is read, or damaged: the bodies say what they can.
    }
  }
  return found;
}

function maskStrings(scanner: Scanner, value: unknown): unknown {
  if (typeof value === 'string') return maskText(scanner, value).text;
  if (Array.isArray(value)) return value.map((each) => maskStrings(scanner, each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, maskStrings(scanner, each)]));
}
