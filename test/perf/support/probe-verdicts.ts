import type { Failure, Outcome } from './probe-suites.ts';

/** What a case says of a proxy. */
export interface Verdict {
  readonly holds: 'yes' | 'on the wire' | 'no' | 'not asked';
  /** Of `no`, what came instead; of `not asked`, what the case is about. */
  readonly why: string;
}

/** Judges what came of a case. Undefined: the case does not exist through CONNECT. */
export function verdictOf({ state, notes, errors }: Outcome): Verdict | undefined {
  if (notes?.died !== undefined) return { holds: 'no', why: `its process ends: ${notes.died}` };
  if (state === 'failed') return { holds: 'no', why: reasonOf(errors[0]) };
  if (notes?.gateOnly !== undefined) return { holds: 'not asked', why: notes.gateOnly };
  if (notes?.leftOut !== undefined) return { holds: 'on the wire', why: '' };
  return state === 'passed' ? { holds: 'yes', why: '' } : undefined;
}

/** How a failed case reads in a table: what came, rather than the assertion that it broke. */
export function reasonOf(failure: Failure | undefined): string {
  const message = failure?.message ?? 'no reason given';
  for (const [pattern, say] of PHRASES) {
    const found = pattern.exec(message);
    if (found !== null) return say(found.slice(1).map(String), failure);
  }
  return code(message.split('\n')[0] ?? '');
}

/** Of a client that offers nothing but HTTP/2. */
export const NO_HTTP2 = 'the TLS handshake ends: no HTTP/2 is offered';

type Say = (found: readonly string[], failure: Failure | undefined) => string;

/** The first that matches counts. */
const PHRASES: readonly (readonly [RegExp, Say])[] = [
  [/^Test timed out/, () => 'nothing more came within the time of the test'],
  [/no application protocol/, () => NO_HTTP2],
  [
    /^the client did not see (.+?); it saw: (.*)$/s,
    ([wanted = '', saw = '']) =>
      saw === '' ? `nothing came; awaited: ${code(wanted)}` : `${came(saw)}; awaited: ${code(wanted)}`,
  ],
  [
    /^the client saw no answer; it saw: (.*)$/s,
    ([saw = '']) => `no answer${saw === '' ? '' : `: ${came(saw)}`}`,
  ],
  [
    /^still open; the client saw: (.*)$/s,
    ([saw = '']) => `the connection stays open${saw === '' ? '' : `; ${came(saw)}`}`,
  ],
  [/^the origin did not see (.+?); it saw: /s, ([wanted = '']) => `the origin did not get ${code(wanted)}`],
  [/^no tunnel: (.*)$/s, ([saw = '']) => `no tunnel: ${came(saw)}`],
  [/^nothing of the kind came/, () => 'what must come did not, within two seconds'],
  [/^(.+ did not come)$/, ([what = '']) => what],
  [/^(?:is no refusal: )?expected '.*' to match /s, (_found, failure) => came(String(failure?.actual))],
  [/^expected '.*' to be '/s, (_found, failure) => difference(failure)],
  [
    /^(.+?): expected (\d+) to be (?:less than )?(\d+)/,
    ([what = '', got, limit]) => `${what}: ${got}, at most ${limit}`,
  ],
  [/^((?!expected ).+?): expected /, ([what = '']) => what],
];

/** The head of the last answer in what came, and the error that a proxy wrote into it, where it did. */
function came(text: string): string {
  const lines = plain(text).split('\n');
  const status = lines.findLast((line) => /HTTP\/1\.[01] \d{3}/.test(line));
  const head = /HTTP\/1\.[01] \d{3}.*/.exec(status ?? '')?.[0] ?? lines[0] ?? '';
  const error = lines
    .find((line) => /^[A-Z_]+_ERROR: /.test(line))
    ?.replace(/^[A-Z_]+_ERROR: (?:Error: )?/, '');
  return `it answers ${code(head)}${error === undefined ? '' : ` with ${code(error)} in its body`}`;
}

/** The first line that is another than it should be. */
function difference({ expected, actual }: Failure = { message: '' }): string {
  const [wanted, got] = [expected, actual].map((value) => plain(String(value)).split('\n'));
  const at = wanted?.findIndex((line, index) => line !== got?.[index]) ?? 0;
  return `${code(got?.[at] ?? '')} instead of ${code(wanted?.[at] ?? '')}`;
}

const plain = (text: string): string => text.replaceAll('\r', '');

/** As inline code of a table's cell. */
function code(text: string): string {
  const short = text.trim().replaceAll(/\s*\n\s*/g, ' ');
  // Bytes beyond ASCII were read as latin1.
  const safe = short
    .replaceAll(/[^ -~]/g, '?')
    .replaceAll('|', '\\|')
    .replaceAll('`', "'");
  return safe === '' ? 'nothing' : `\`${safe.length > 90 ? `${safe.slice(0, 87)}...` : safe}\``;
}
