/** Bounds how many different questions are taken within a second; the same one again is free. */
export interface Rate {
  /** Whether this question is still within the bound. */
  admit(question: string): boolean;
  /** Reports what was turned away last. */
  stop(): void;
}

const WINDOW_MS = 1000;

/** Makes a bound; `report` is told how many were turned away, once for each second in which any were. */
export function createRate(perSecond: number, report: (count: number) => void): Rate {
  const seen = new Set<string>();
  let start = 0;
  let turnedAway = 0;
  const flush = (): void => {
    if (turnedAway > 0) report(turnedAway);
    turnedAway = 0;
    seen.clear();
  };
  return {
    admit: (question) => {
      const now = performance.now();
      if (now - start >= WINDOW_MS) {
        flush();
        start = now;
      }
      if (seen.has(question)) return true;
      if (seen.size >= perSecond) {
        turnedAway += 1;
        return false;
      }
      seen.add(question);
      return true;
    },
    stop: flush,
  };
}
