import { shortExchangeId } from '../core/ids.ts';
import type { Paint } from './color.ts';
import { placeText, resultText, severityDress } from './events.ts';
import { printable } from './printable.ts';
import type { ShownExchange } from './shown-exchange.ts';
import { shortSize } from './size.ts';
import { localTime, shortDuration } from './time.ts';

/** What is known of an exchange besides what was sent and answered: a line a fact, those that say nothing left out. */
export function headLines(shown: ShownExchange, paint: Paint): string[] {
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
