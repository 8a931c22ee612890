import { shellWord } from '../core/shell.ts';

/**
 * Makes text from outside (captured URLs, command lines, host names) safe to print: control characters,
 * which a terminal would obey, become visible escapes. Bidirectional overrides count as control characters.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A command line as it could be typed: arguments with special characters are put in single quotes. */
export function commandLine(argv: readonly string[]): string {
  return argv.map(shellWord).map(printable).join(' ');
}
