/** What a probe is, and how its two halves are judged. */

export type ThreatClass =
  | 'direct network'
  | 'system calls'
  | 'names'
  | 'deputies'
  | 'supervisor'
  | 'own state'
  | 'terminal'
  | 'root'
  | 'through the proxy'
  | 'death';

/** What a probe asks of the machine or of who runs it; where it is missing the probe is skipped by name. */
export type Need = 'root' | 'user' | 'far' | 'machine4' | 'machine6' | `tool:${string}` | `file:${string}`;

export interface Probe {
  readonly name: string;
  readonly class: ThreatClass;
  /** The attempt where nothing holds it: it must succeed. `{name}` stands for a fact of the scene. */
  readonly outside: readonly string[];
  /** The same attempt in the jail. */
  readonly inside: readonly string[];
  /** How it must fail inside: an errno name, a signal, or gate's own words. */
  readonly expect: RegExp;
  /** A record that the run's ledger must hold: dotted field names, values compared as text. */
  readonly ledger?: Readonly<Record<string, string>>;
  readonly needs?: readonly Need[];
  /** Not an attempt but the proof that the way it takes is open: it must succeed inside too. */
  readonly control?: true;
  readonly cwd?: string;
}

/** One attempt as the batch runner saw it. */
export interface Attempt {
  readonly name: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly hung: boolean;
}

export interface Verdict {
  readonly started: boolean;
  readonly word: 'escaped' | 'refused' | 'unable' | 'silent';
  readonly how: string;
}

/** A probe whose two halves are the same command. */
export function both(argv: readonly string[]): Pick<Probe, 'outside' | 'inside'> {
  return { outside: argv, inside: argv };
}

/** The command line of a python probe program. */
export function py(program: string, ...args: readonly string[]): string[] {
  return ['{python}', `{programs}/${program}.py`, ...args];
}

/** Reads what a probe program printed. A death by signal is a refusal by that signal, if it had started. */
export function verdictOf(attempt: Attempt): Verdict {
  const lines = attempt.stdout.split('\n').filter((line) => line.startsWith('PROBE '));
  const started = lines.includes('PROBE start ') || lines.includes('PROBE start');
  const said = lines
    .map((line) => /^PROBE (escaped|refused|unable) ?(.*)$/.exec(line))
    .find((m) => m !== null);
  if (said !== undefined) {
    return { started, word: said[1] as Verdict['word'], how: (said[2] ?? '').trim() };
  }
  if (attempt.hung) return { started, word: 'silent', how: 'hung' };
  if (attempt.code < 0) return { started, word: 'refused', how: `signal ${-attempt.code}` };
  return { started, word: 'silent', how: `exit ${attempt.code}: ${attempt.stderr.slice(-500)}` };
}

/** Fills `{name}` from the scene's facts. `{gate}` and `{victim}` are left for the batch runner. */
export function fill(text: string, facts: Readonly<Record<string, string>>): string {
  return text.replace(/\{([\w.@-]+)\}/g, (whole, name: string) => {
    if (name === 'gate' || name === 'victim') return whole;
    const value = facts[name];
    if (value === undefined) throw new Error(`the scene has no '${name}' (in '${text}')`);
    return value;
  });
}
