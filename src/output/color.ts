/** Dresses text for a terminal, or leaves it as it is. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

export interface ColorWish {
  readonly env: NodeJS.ProcessEnv;
  /** Whether the stream is a terminal. */
  readonly isTTY: boolean | undefined;
  /** False with `--no-color`. */
  readonly color?: boolean | undefined;
}

/**
 * Whether to print colours: the option first, then `NO_COLOR` (https://no-color.org), `FORCE_COLOR`, `TERM=dumb`,
 * and else only to a terminal.
 */
export function wantsColor({ env, isTTY, color }: ColorWish): boolean {
  if (color === false || (env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return env['TERM'] !== 'dumb' && isTTY === true;
}

/** The colours of a stream that wants them, or of one that does not. */
export function paint(on: boolean): Paint {
  const sgr = (open: number, close: number) => (text: string) =>
    on && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), yellow: sgr(33, 39) };
}
