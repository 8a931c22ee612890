import { stringEnd } from './leaves.ts';

const INDENT = '  ';
/** Deeper than this, lines would be mostly space. */
const MAX_INDENT = 40;

/**
 * A JSON object or array with each member on a line of its own; undefined for any other text. Only white space is
 * changed, so that numbers and escapes stay as they were sent.
 */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text) || !isJson(text)) return undefined;
  const out: string[] = [];
  let depth = 0;
  const newLine = () => out.push('\n', INDENT.repeat(Math.min(depth, MAX_INDENT)));
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = stringEnd(text, at + 1, text.length) + 1;
      out.push(text.slice(at, end));
      at = end - 1;
    } else if (char === '{' || char === '[') {
      const close = closesAt(text, at + 1);
      out.push(char);
      if (close !== undefined) {
        out.push(text.charAt(close));
        at = close;
      } else {
        depth += 1;
        newLine();
      }
    } else if (char === '}' || char === ']') {
      depth -= 1;
      newLine();
      out.push(char);
    } else if (char === ',') {
      out.push(char);
      newLine();
    } else if (char === ':') out.push(': ');
    else if (!/\s/.test(char)) out.push(char);
  }
  return out.join('');
}

/** The place of the closing bracket of what has nothing in it. */
function closesAt(text: string, from: number): number | undefined {
  let at = from;
  while (/\s/.test(text.charAt(at))) at += 1;
  return text.charAt(at) === '}' || text.charAt(at) === ']' ? at : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
