import * as z from 'zod';
import type { Evidence } from './evidence.ts';
import { AgentLine } from './line.ts';

/** What the agent says; lines that are none of its own are left out. */
export function readAgentLines(lines: readonly string[]): AgentLine[] {
  return lines.flatMap((line) => AgentLine.safeParse(parsed(line)).data ?? []);
}

/** What `gate verify last --json` prints, as far as the demo asks. */
const Verdict = z.looseObject({ ok: z.boolean(), runs: z.array(z.looseObject({ bodies: z.int() })) });

/** Reads the answer of `gate verify`; one that cannot be read is not ok. */
export function readVerdict(lines: readonly string[]): Evidence['verified'] {
  const { data } = Verdict.safeParse(parsed(lines.join('\n')));
  return { ok: data?.ok === true, bodies: data?.runs[0]?.bodies ?? 0 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is not what was asked for: the schemas say no to undefined.
    return undefined;
  }
}
