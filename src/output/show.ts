import type { HeaderList } from '../core/headers.ts';
import { shortExchangeId } from '../core/ids.ts';
import { printable } from './printable.ts';
import { headLines } from './show-head.ts';
import type { BodyText, ShowLook, ShownExchange } from './shown-exchange.ts';
import { shortSize } from './size.ts';

const MAX_LINES = 60;
const MAX_CHARACTERS = 6000;
const MAX_FRAMES = 100;
const OPCODES: Readonly<Record<number, string>> = {
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

/** One exchange for people. Long bodies are cut, with the command that shows the rest. */
export function showText(shown: ShownExchange, look: ShowLook): string {
  return [
    ...headLines(shown, look.paint),
    ...requestLines(shown, look),
    ...frameLines(shown, look),
    ...responseLines(shown, look),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function requestLines(shown: ShownExchange, look: ShowLook): string[] {
  if (shown.request === undefined) return [];
  const { headers, body, trailers } = shown.request;
  return [
    '',
    look.paint.bold('Request'),
    ...headerLines(headers, look),
    ...bodyLines(shown, body, 'request', look),
    ...trailerLines(trailers, look),
  ];
}

function trailerLines(trailers: HeaderList | undefined, look: ShowLook): string[] {
  return trailers === undefined || trailers.length === 0 ? [] : ['', ...headerLines(trailers, look)];
}

function responseLines(shown: ShownExchange, look: ShowLook): string[] {
  if (shown.response === undefined) return [];
  const { status, statusText, headers, body, trailers } = shown.response;
  return [
    '',
    look.paint.bold(printable(`Response ${status} ${statusText ?? ''}`.trimEnd())),
    ...headerLines(headers, look),
    ...bodyLines(shown, body, 'response', look),
    ...trailerLines(trailers, look),
  ];
}

function headerLines(headers: HeaderList, { paint }: ShowLook): string[] {
  return headers.map(([name, value]) => `  ${paint.dim(`${printable(name)}:`)} ${printable(value)}`);
}

function frameLines(shown: ShownExchange, look: ShowLook): string[] {
  const { frames = [] } = shown;
  if (frames.length === 0) return [];
  const kept = look.full ? frames : frames.slice(0, MAX_FRAMES);
  const rest = frames.length - kept.length;
  return [
    '',
    look.paint.bold('Messages'),
    ...kept.flatMap(({ n, from, opcode, body }) => [
      look.paint.dim(`  ${n} ${from === 'client' ? 'sent' : 'got'} ${OPCODES[opcode] ?? `opcode ${opcode}`}`),
      ...bodyLines(shown, body, `message:${n}`, look),
    ]),
    ...(rest === 0 ? [] : [more(shown, `${rest} more messages`, look)]),
  ];
}

function bodyLines(shown: ShownExchange, body: BodyText | undefined, side: string, look: ShowLook): string[] {
  if (body === undefined || body.bytes === 0) return [];
  const problem = body.problem === undefined ? [] : [look.paint.yellow(`  (${printable(body.problem)})`)];
  const cutOff = body.incomplete ? [look.paint.yellow('  (the client did not send it to its end)')] : [];
  const unread = (body.left ?? 0) > 0 ? [`  (${body.left} bytes after this were not read)`] : [];
  if (body.text === undefined) {
    const what = `${shortSize(body.bytes)} of ${printable(body.type ?? 'no type')}, no text`;
    const command = `gate show ${shortExchangeId(shown.id)} --raw ${side} > FILE`;
    return ['', look.paint.dim(`  (${what}; sha256 ${body.sha256}; ${command})`), ...problem, ...cutOff];
  }
  const { lines, rest } = look.full ? { lines: linesOf(body.text), rest: 0 } : beginning(body.text);
  return [
    '',
    ...lines.map((line) => `  ${printableLine(line)}`),
    ...(rest === 0 ? [] : [more(shown, `${rest} more characters`, look)]),
    ...unread,
    ...problem,
    ...cutOff,
  ];
}

function more(shown: ShownExchange, what: string, { paint }: ShowLook): string {
  return paint.dim(`  … ${what}: gate show ${shortExchangeId(shown.id)} --full`);
}

function beginning(text: string): { readonly lines: readonly string[]; readonly rest: number } {
  const short = text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) : text;
  const lines = linesOf(short).slice(0, MAX_LINES);
  const shown = lines.reduce((sum, line) => sum + line.length + 1, 0);
  return { lines, rest: Math.max(0, text.length - shown) };
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** Tabs are the only control characters that a line of text may keep. */
function printableLine(line: string): string {
  return line.split('\t').map(printable).join('\t');
}
