import type { HeaderList } from '../core/headers.ts';
import { shortExchangeId } from '../core/ids.ts';
import type { Paint } from './color.ts';
import { placeText, resultText, type ShownEvent, severityDress } from './events.ts';
import { printable } from './printable.ts';
import { shortSize } from './size.ts';
import { localTime, shortDuration } from './time.ts';

interface BodyText {
  readonly bytes: number;
  readonly sha256: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly incomplete?: true;
  readonly text?: string;
  readonly left?: number;
  readonly problem?: string;
}

/** What `gate show --json` prints: an event, and what was sent and answered. */
export interface ShownExchange extends ShownEvent {
  readonly run: string;
  readonly via?: string;
  readonly address?: string;
  readonly decision?: {
    readonly verdict: string;
    readonly reason?: string;
    readonly list?: string;
    readonly pattern?: string;
  };
  readonly timing?: { readonly totalMs?: number; readonly firstByteMs?: number };
  readonly flags: readonly (ShownEvent['flags'][number] & { readonly detail: string })[];
  readonly secrets: readonly {
    readonly kind: string;
    readonly where: string;
    readonly masked: string;
    readonly fingerprint: string;
    readonly count: number;
  }[];
  readonly pii: Readonly<Record<'request' | 'response', Readonly<Record<string, number>>>>;
  readonly analysed: boolean;
  readonly llm?: {
    readonly provider: string;
    readonly model?: string;
    readonly session?: string;
    readonly stopReason?: string;
    readonly usage?: { readonly input: number; readonly output: number; readonly cacheRead: number };
    readonly costUsd: number | null;
    readonly toolCalls: readonly string[];
  };
  readonly error?: { readonly code: string; readonly message?: string };
  readonly request?: {
    readonly headers: HeaderList;
    readonly body?: BodyText;
    readonly trailers?: HeaderList;
  };
  readonly response?: {
    readonly status: number;
    readonly statusText?: string;
    readonly headers: HeaderList;
    readonly body?: BodyText;
    readonly trailers?: HeaderList;
  };
  readonly frames?: readonly {
    readonly n: number;
    readonly from: 'client' | 'server';
    readonly opcode: number;
    readonly body?: BodyText;
  }[];
}

export interface ShowLook {
  readonly paint: Paint;
  /** Bodies to their end. */
  readonly full: boolean;
}

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

function headLines(shown: ShownExchange, paint: Paint): string[] {
  const { id, run, at, via, protocol, address } = shown;
  const method = printable(shown.method ?? (shown.kind === 'exchange' ? '' : shown.kind));
  const way = [via, protocol, address === undefined ? undefined : `asked for ${address}`];
  const facts: [string, string | undefined][] = [
    ['run', `${run}  ${localTime(at)}`],
    ['via', way.flatMap((each) => (each === undefined ? [] : [printable(each)])).join(', ')],
    ['decision', decisionText(shown)],
    ['result', [resultText(shown), ...measures(shown)].join(', ')],
    [
      'error',
      shown.error === undefined
        ? undefined
        : printable([shown.error.code, shown.error.message ?? ''].join(' ')),
    ],
    ['model', modelText(shown)],
    ['session', shown.llm?.session === undefined ? undefined : printable(shown.llm.session)],
    ['tools', shown.llm?.toolCalls.map(printable).join(', ')],
    ...shown.flags.map((flag): [string, string] => ['flag', flagText(flag, paint)]),
    ...shown.secrets.map((secret): [string, string] => ['secret', secretText(secret)]),
    ['personal', piiText(shown)],
    ['', shown.analysed || shown.kind !== 'exchange' ? undefined : 'not analysed yet'],
  ];
  return [
    paint.bold(`${shortExchangeId(id)}  ${method} ${placeText(shown)}`),
    ...facts.flatMap(([name, text]) =>
      text === undefined || text === '' ? [] : [`  ${paint.dim(name.padEnd(9))} ${text}`],
    ),
  ];
}

function decisionText({ decision }: ShownExchange): string | undefined {
  if (decision === undefined) return undefined;
  const { verdict, reason = '', list, pattern } = decision;
  const by = list === undefined ? '' : ` (${list}${pattern === undefined ? '' : `: ${pattern}`})`;
  return printable(`${verdict}, ${reason}${by}`);
}

function measures({
  requestBytes,
  responseBytes,
  messages,
  timing,
}: ShownExchange & { messages?: number }): string[] {
  return [
    ...(requestBytes === undefined ? [] : [`${shortSize(requestBytes)} sent`]),
    ...(responseBytes === undefined ? [] : [`${shortSize(responseBytes)} got`]),
    ...(messages === undefined ? [] : [`${messages} messages`]),
    ...(timing?.totalMs === undefined ? [] : [shortDuration(timing.totalMs)]),
    ...(timing?.firstByteMs === undefined ? [] : [`first byte after ${shortDuration(timing.firstByteMs)}`]),
  ];
}

function modelText({ llm }: ShownExchange): string | undefined {
  if (llm === undefined) return undefined;
  const { provider, model, usage, stopReason, costUsd } = llm;
  const parts = [
    `${provider}${model === undefined ? '' : ` ${model}`}`,
    ...(usage === undefined
      ? []
      : [`${usage.input} tokens in (and ${usage.cacheRead} cached)`, `${usage.output} out`]),
    costUsd === null ? 'cost not known' : `$${costUsd.toFixed(4)}`,
    ...(stopReason === undefined ? [] : [`stopped: ${stopReason}`]),
  ];
  return printable(parts.join(', '));
}

function flagText(
  { code, severity, detail, dismissed }: ShownExchange['flags'][number],
  paint: Paint,
): string {
  const text = `${severity} ${printable(code)}: ${printable(detail)}`;
  return dismissed ? paint.dim(`${text} (dismissed)`) : (severityDress(severity, paint)?.(text) ?? text);
}

function secretText({ kind, where, masked, fingerprint, count }: ShownExchange['secrets'][number]): string {
  const times = count > 1 ? `, ${count}x` : '';
  return printable(`${kind} in ${where}: ${masked}#${fingerprint}${times}`);
}

function piiText({ pii }: ShownExchange): string | undefined {
  const sides = (['request', 'response'] as const).flatMap((side) => {
    const kinds = Object.entries(pii[side]).map(([kind, count]) => `${printable(kind)} ${count}x`);
    return kinds.length === 0 ? [] : [`${side}: ${kinds.join(', ')}`];
  });
  return sides.length === 0 ? undefined : sides.join('; ');
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
