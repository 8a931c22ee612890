import { isIP } from 'node:net';
import type { HeaderList } from '../core/headers.ts';
import type { Timing } from '../core/outcome.ts';
import { GATE_VERSION } from '../core/version.ts';
import { type ExportedBody, type ExportedExchange, textOf } from './exchange.ts';
import { requestCookies, responseCookies, valuesOf } from './har-cookies.ts';
import type { Placeholders } from './placeholders.ts';

/**
 * HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/). What it has no word for stands in fields with
 * an underscore, as browsers write them: WebSocket messages, the exchange's id, base64 in a request.
 */
export const HAR_BEGIN = `{"log":{"version":"1.2","creator":${JSON.stringify({ name: 'gate', version: GATE_VERSION })},"entries":[`;

/** The end of an archive; its comment says what was replaced. */
export function harEnd({ known }: Placeholders): string {
  const names = known.map(({ name, where, masked }) => `$${name}: ${where}, ${masked}`);
  const comment = names.length === 0 ? {} : { comment: `Credentials are not recorded. ${names.join('; ')}` };
  return `]${JSON.stringify(comment)
    .slice(1, -1)
    .replace(/^(?=.)/, ',')}}}\n`;
}

/** One entry of an archive. */
export function harEntry(exchange: ExportedExchange, placeholders: Placeholders): object {
  const { event, records, messages } = exchange;
  const { response, end } = records;
  const { timings, time } = timingsOf(end?.timing);
  const address = response?.upstream?.address;
  const comment = commentOf(exchange);
  return {
    startedDateTime: event.at,
    time,
    request: requestOf(exchange, placeholders),
    response: responseOf(exchange, placeholders),
    cache: {},
    timings,
    ...(address !== undefined && isIP(address) !== 0 ? { serverIPAddress: address } : {}),
    ...(comment === undefined ? {} : { comment }),
    _id: event.id,
    ...(event.protocol === 'websocket' ? { _resourceType: 'websocket' } : {}),
    ...(messages.length === 0 ? {} : { _webSocketMessages: messages.map(frameOf) }),
  };
}

function requestOf({ event, records, requestBody }: ExportedExchange, placeholders: Placeholders): object {
  const host = event.host ?? '';
  const headers = placeholders.headers(records.request?.headers ?? [], host);
  const url = placeholders.url(event.url ?? '', host);
  const hasBody = requestBody !== undefined && requestBody.wireBytes > 0;
  return {
    method: event.method ?? '',
    url,
    httpVersion: event.protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1',
    cookies: requestCookies(headers),
    headers: pairs(headers),
    queryString: queryOf(url),
    ...(hasBody ? { postData: postDataOf(requestBody) } : {}),
    headersSize: -1,
    bodySize: requestBody?.wireBytes ?? 0,
  };
}

function postDataOf({ type, bytes }: ExportedBody): object {
  const text = textOf(bytes);
  const mimeType = type ?? 'application/octet-stream';
  if (text !== undefined) return { mimeType, params: [], text };
  return { mimeType, params: [], text: bytes.toString('base64'), _encoding: 'base64' };
}

/** Without an answer: status 0, as browsers write it. */
function responseOf({ event, records, responseBody }: ExportedExchange, placeholders: Placeholders): object {
  const { response } = records;
  const headers = placeholders.headers(response?.headers ?? [], event.host ?? '');
  return {
    status: response?.status ?? 0,
    statusText: response?.statusText ?? '',
    httpVersion: response === undefined ? '' : response.upstream?.protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1',
    cookies: responseCookies(headers),
    headers: pairs(headers),
    content: contentOf(responseBody),
    redirectURL: valuesOf(headers, 'location')[0] ?? '',
    headersSize: -1,
    bodySize: response === undefined ? -1 : (responseBody?.wireBytes ?? 0),
  };
}

function contentOf(body: ExportedBody | undefined): object {
  if (body === undefined || body.wireBytes === 0) return { size: 0, mimeType: body?.type ?? 'x-unknown' };
  const { bytes, wireBytes, type = 'x-unknown', encoding } = body;
  const text = textOf(bytes);
  return {
    size: bytes.length,
    ...(encoding === undefined ? {} : { compression: bytes.length - wireBytes }),
    mimeType: type,
    ...(text === undefined ? { text: bytes.toString('base64'), encoding: 'base64' } : { text }),
  };
}

function frameOf({ from, opcode, at, body }: ExportedExchange['messages'][number]): object {
  const bytes = body?.bytes ?? Buffer.alloc(0);
  return {
    type: from === 'client' ? 'send' : 'receive',
    // Seconds since 1970.
    time: Date.parse(at) / 1000,
    opcode,
    data: opcode === 1 ? bytes.toString('utf8') : bytes.toString('base64'),
  };
}

/** `time` is the sum of what is known; -1 where a part is not. `connect` has `ssl` in it, as the format asks. */
function timingsOf(timing: Timing | undefined): { timings: object; time: number } {
  const { dnsMs, connectMs, tlsMs, firstByteMs, totalMs = 0 } = timing ?? {};
  const connect = connectMs === undefined ? undefined : connectMs + (tlsMs ?? 0);
  const before = (dnsMs ?? 0) + (connect ?? 0);
  const wait = round(firstByteMs ?? Math.max(0, totalMs - before));
  const receive = round(Math.max(0, totalMs - before - wait));
  const dns = dnsMs === undefined ? -1 : round(dnsMs);
  const timings = {
    blocked: -1,
    dns,
    connect: connect === undefined ? -1 : round(connect),
    ssl: tlsMs === undefined ? -1 : round(tlsMs),
    send: 0,
    wait,
    receive,
  };
  const parts = [timings.dns, timings.connect, wait, receive];
  return { timings, time: round(parts.reduce((sum, part) => sum + Math.max(0, part), 0)) };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function commentOf({ event, requestBody, responseBody }: ExportedExchange): string | undefined {
  const { outcome = 'not ended', decision } = event;
  const parts = [
    ...(outcome === 'complete'
      ? []
      : [`${outcome}${decision?.verdict === 'deny' ? `: ${decision.reason}` : ''}`]),
    ...(requestBody?.problem === undefined ? [] : [`request body: ${requestBody.problem}`]),
    ...(responseBody?.problem === undefined ? [] : [`response body: ${responseBody.problem}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

function pairs(headers: HeaderList): { name: string; value: string }[] {
  return headers.map(([name, value]) => ({ name, value }));
}

/** Decoded, as browsers write it; what is no valid percent-encoding stays as it is. */
function queryOf(url: string): { name: string; value: string }[] {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? '';
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const [name, value] = equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
      return { name: decoded(name), value: decoded(value) };
    });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
