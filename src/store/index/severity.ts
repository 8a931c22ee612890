import { SEVERITIES, type Severity } from '../../core/rules.ts';

/** A severity as the tables have it, from 1 (info) to 4 (high); undefined for any other word. */
export function levelOf(word: string): number | undefined {
  const words: readonly string[] = SEVERITIES;
  const place = words.indexOf(word);
  return place < 0 ? undefined : SEVERITIES.length - place;
}

/** The severity of a level of the tables; of one that is none, the least. */
export function severityOf(level: number): Severity {
  return SEVERITIES[SEVERITIES.length - level] ?? 'info';
}
