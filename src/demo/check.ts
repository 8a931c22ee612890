import type { Evidence } from './evidence.ts';

/** One thing that the agent did, what should have come of it, and what did. */
export interface Checked {
  readonly name: string;
  /** What the agent did, in a few words. */
  readonly title: string;
  readonly ok: boolean;
  readonly expected: string;
  readonly seen: string;
  /** The record of it, for `gate show`: `<RUN>:<seq>`. */
  readonly id?: string;
}

/** One fact that must hold, in words for either case; the words of a fact that goes without saying are empty. */
export interface Fact {
  readonly holds: boolean;
  readonly seen: string;
  readonly instead: string;
}

/** A check: data for people, and what it asks of the evidence. */
export interface Check {
  readonly name: string;
  readonly title: string;
  readonly expected: string;
  facts(evidence: Evidence): readonly Fact[];
  /** The record that shows it best. */
  id(evidence: Evidence): string | undefined;
}

/** States a fact. */
export function fact(holds: boolean, seen: string, instead: string): Fact {
  return { holds, seen, instead };
}

/** Applies a check. What failed is all that is told of a failed one. */
export function applyCheck(check: Check, evidence: Evidence): Checked {
  const facts = check.facts(evidence);
  const failed = facts.filter(({ holds }) => !holds);
  const told = failed.length === 0 ? facts.map(({ seen }) => seen) : failed.map(({ instead }) => instead);
  const { name, title, expected } = check;
  const id = check.id(evidence);
  return {
    ...{
      name,
      title,
      expected,
      ok: failed.length === 0,
      seen: told.filter((text) => text !== '').join(', '),
    },
    ...(id === undefined ? {} : { id }),
  };
}
