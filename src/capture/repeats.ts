/** Facts of which many equal ones may come in a short time, written one by one or as a count. */
export interface Repeats<Fact extends object> {
  add(fact: Fact, count?: number): void;
  /** Writes what is still only counted. */
  flush(): void;
}

interface Deps<Fact> {
  /** Writes one record. */
  write(fact: Fact | Partial<Fact>, count: number): void;
  /** What is left of a fact when there are too many different ones to remember. */
  coarse(fact: Fact): Partial<Fact>;
  readonly windowMs?: number;
  readonly maxKeys?: number;
}

interface Entry<Fact> {
  readonly fact: Fact | Partial<Fact>;
  count: number;
}

/**
 * Writes the first of equal facts at once and counts its repeats until the window ends. When more different
 * facts come within one window than can be remembered, the rest are counted by their coarse part: a flood costs
 * records in proportion to time, not to its size, and no occurrence goes uncounted.
 */
export function createRepeats<Fact extends object>(deps: Deps<Fact>): Repeats<Fact> {
  const { windowMs = 1000, maxKeys = 512 } = deps;
  const entries = new Map<string, Entry<Fact>>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    const due = [...entries.values()];
    entries.clear();
    for (const entry of due) if (entry.count > 0) deps.write(entry.fact, entry.count);
  }

  function remember(key: string, fact: Fact | Partial<Fact>, count: number): void {
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { fact, count });
    else known.count += count;
    timer ??= setTimeout(flush, windowMs).unref();
  }

  return {
    add(fact, count = 1) {
      const key = JSON.stringify(fact);
      if (entries.has(key)) {
        remember(key, fact, count);
      } else if (entries.size < maxKeys) {
        deps.write(fact, count);
        remember(key, fact, 0);
      } else {
        const coarse = deps.coarse(fact);
        remember(JSON.stringify(coarse), coarse, count);
      }
    },
    flush,
  };
}
