import type { HeaderList } from '../core/headers.ts';
import { type ExportedBody, type ExportedExchange, textOf } from './exchange.ts';
import type { Placeholders } from './placeholders.ts';

/** An exchange as a line: what `gate events --json` says of it, with headers and whole bodies. */
export function jsonLine(exchange: ExportedExchange, placeholders: Placeholders): string {
  const { event, records, requestBody, responseBody, messages } = exchange;
  const { request, response, end } = records;
  const host = event.host ?? '';
  const headers = (list: HeaderList) => placeholders.headers(list, host);
  const line = {
    ...event,
    ...(event.url === undefined ? {} : { url: placeholders.url(event.url, host) }),
    ...(request === undefined
      ? {}
      : {
          request: {
            headers: headers(request.headers),
            ...bodyField(requestBody),
            ...(end?.requestTrailers === undefined ? {} : { trailers: headers(end.requestTrailers) }),
          },
        }),
    ...(response === undefined
      ? {}
      : {
          response: {
            status: response.status,
            ...(response.statusText === undefined ? {} : { statusText: response.statusText }),
            headers: headers(response.headers),
            ...bodyField(responseBody),
            ...(end?.trailers === undefined ? {} : { trailers: headers(end.trailers) }),
            ...(response.upstream === undefined ? {} : { upstream: response.upstream }),
          },
        }),
    ...(messages.length === 0
      ? {}
      : {
          frames: messages.map(({ from, opcode, at, body }, n) => ({
            ...{ n, from, opcode, at },
            ...bodyField(body),
          })),
        }),
  };
  return `${JSON.stringify(line)}\n`;
}

function bodyField(body: ExportedBody | undefined): { body?: object } {
  if (body === undefined) return {};
  const { wireBytes, sha256, type, encoding, bytes, incomplete, problem } = body;
  const text = textOf(bytes);
  return {
    body: {
      bytes: wireBytes,
      sha256,
      ...(type === undefined ? {} : { type }),
      ...(encoding === undefined ? {} : { encoding }),
      ...(text === undefined ? { base64: bytes.toString('base64') } : { text }),
      ...(incomplete ? { incomplete } : {}),
      ...(problem === undefined ? {} : { problem }),
    },
  };
}
