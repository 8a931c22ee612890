import type { Rule } from './rule.ts';

/**
 * `KEY=VALUE` with a name in capitals, or `export name=value`, `declare -x name="value"` with any name, after the line
 * number that tools put before lines (`12:`, `12→`, `12|`, `12` and a tab).
 */
const ASSIGNMENT =
  /^\s{0,16}(?:\d{1,7}\s{0,4}[:|→-]?\s{0,4})?(?:(?:export|declare\s{1,4}-[a-zA-Z]{1,4}|typeset\s{1,4}-[a-zA-Z]{1,4})\s{1,4}[A-Za-z_]\w{0,127}|[A-Z_][A-Z0-9_]{0,127})=\S/;
/** No line of an environment is looked at beyond this. */
const LINE = 300;

/** A tool has shown the model an environment. */
export const envInToolResult: Rule = {
  code: 'env_in_tool_result',
  severity: 'high',
  when:
    'One tool result has several KEY=VALUE lines (also `export K=V`, `declare -x K=V`, numbered lines, and content ' +
    'that comes as an array).',
  settings: ['envLines'],
  check: ({ toolResults }, { envLines }) => {
    const counts = toolResults.map(({ text }) => assignments(text));
    const most = Math.max(0, ...counts);
    if (most < envLines) return undefined;
    const name = toolResults[counts.indexOf(most)]?.name;
    return `${most} KEY=VALUE lines in one result${name === undefined ? '' : ` of ${name.slice(0, 64)}`}`;
  },
};

function assignments(text: string): number {
  let count = 0;
  for (let start = 0; start < text.length; ) {
    const lf = text.indexOf('\n', start);
    const end = lf < 0 ? text.length : lf;
    if (ASSIGNMENT.test(text.slice(start, Math.min(end, start + LINE)))) count += 1;
    start = end + 1;
  }
  return count;
}
