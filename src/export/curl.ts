import type { HeaderList } from '../core/headers.ts';
import { shortExchangeId } from '../core/ids.ts';
import { type ExportedBody, type ExportedExchange, textOf } from './exchange.ts';
import type { Placeholders } from './placeholders.ts';
import { MARK, shellWord } from './shell.ts';

/** Said of the connection, or made by curl itself. */
const OWN_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);
/** What curl sends of itself unless it is told not to. */
const DEFAULTS = ['User-Agent', 'Accept'] as const;
/** A longer body stands on stdin: one argument of a command may have 128 KiB. */
const LONGEST_ARGUMENT = 64 * 1024;

/** The credentials in what a command would send: for the list at the top, before any command is written. */
export function noteCredentials(
  { event, records }: Pick<ExportedExchange, 'event' | 'records'>,
  placeholders: Placeholders,
): void {
  if (leftOut({ event, records, requestBody: undefined }) !== undefined) return;
  placeholders.url(event.url ?? '', event.host ?? '');
  placeholders.headers(sent(records.request?.headers ?? []), event.host ?? '');
}

/** The top of a script: what must be set before its commands work. */
export function curlHead({ known }: Placeholders): string {
  const list = known.map(({ name, where, masked, inUrl }) =>
    comment(`  ${name}: ${where}, ${masked}${inUrl ? '; percent-encoded' : ''}`),
  );
  const what =
    known.length === 0 ? [] : [comment('Credentials are not recorded. Set these variables first:'), ...list];
  return `#!/bin/sh\n${comment('Made by gate export. Each command sends its request again.')}${what.join('')}`;
}

/** One exchange as a command, or as a comment that says why there is none. */
export function curlCommand(exchange: ExportedExchange, placeholders: Placeholders): string {
  const { event, records, requestBody } = exchange;
  const id = shortExchangeId(event.id);
  const why = leftOut(exchange);
  if (why !== undefined) return `\n${comment(`${id}  ${event.at}  left out: ${why}`)}`;
  const host = event.host ?? '';
  const method = event.method ?? 'GET';
  const headers = placeholders.headers(sent(records.request?.headers ?? []), host);
  const { options, stdin, note } = bodyOptions(requestBody, headers);
  const words = [
    `curl --globoff --path-as-is${event.protocol === 'h2' ? '' : ' --http1.1'}`,
    method === 'HEAD' ? '--head' : `-X ${shellWord(method)}`,
    ...headerOptions(headers, requestBody),
    ...options,
    shellWord(placeholders.url(event.url ?? '', host)),
  ];
  const command = words.join(' \\\n  ');
  const top = `\n${comment(`${id}  ${event.at}  ${event.status ?? event.outcome ?? ''}`)}`;
  const noted = note === undefined ? '' : comment(note);
  if (stdin === undefined) return `${top}${noted}${command}\n`;
  const lines = stdin.toString('base64').match(/.{1,76}/g) ?? [];
  return `${top}${noted}base64 -d <<'GATE_BODY' | ${command}\n${lines.join('\n')}\nGATE_BODY\n`;
}

function leftOut({
  event,
  records,
  requestBody,
}: Pick<ExportedExchange, 'event' | 'records' | 'requestBody'>): string | undefined {
  if (records.request === undefined) return 'its record is damaged';
  if (event.decision?.verdict === 'deny') return `denied (${event.decision.reason}), it was never sent`;
  if (event.protocol === 'websocket') return 'a WebSocket';
  if (!URL.canParse(event.url ?? '')) return 'no URL that curl could ask for';
  if (requestBody?.problem !== undefined && requestBody.wire === undefined) {
    return `its body cannot be read: ${requestBody.problem}`;
  }
  return requestBody?.incomplete === true ? 'its body was not sent to its end' : undefined;
}

function sent(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !name.startsWith(':') && !OWN_HEADERS.has(name.toLowerCase()));
}

function headerOptions(headers: HeaderList, body: ExportedBody | undefined): string[] {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const given = headers
    // What is stored without its coding is sent without it.
    .filter(([name]) => name.toLowerCase() !== 'content-encoding' || body?.wire !== undefined)
    // curl's way to send a header that has no value.
    .map(([name, value]) => `-H ${shellWord(value === '' ? `${name};` : `${name}: ${value}`)}`);
  const unwanted = DEFAULTS.filter((name) => !names.has(name.toLowerCase())).map((name) => `-H '${name}:'`);
  return [...given, ...unwanted];
}

function bodyOptions(
  body: ExportedBody | undefined,
  headers: HeaderList,
): { options: string[]; stdin?: Buffer; note?: string } {
  if (body === undefined || body.wireBytes === 0) return { options: [] };
  const bytes = body.wire ?? body.bytes;
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  // curl would ask first whether it may send a long body, and would call it a form.
  const quiet = [...(hasType ? [] : ["-H 'Content-Type:'"]), "-H 'Expect:'"];
  const isDecoded = body.wire === undefined;
  const note = isDecoded ? { note: `sent without its content-encoding, ${body.encoding}` } : {};
  const text = bytes.length <= LONGEST_ARGUMENT ? textOf(bytes) : undefined;
  if (text === undefined || text.includes(MARK)) {
    return { options: [...quiet, '--data-binary @-'], stdin: bytes, ...note };
  }
  // As --data-binary, but a text that begins with @ is no file.
  return { options: [...quiet, `--data-raw ${shellWord(text, 'utf8')}`], ...note };
}

/** A comment must not end before its end. */
function comment(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
  return `# ${text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')}\n`;
}
