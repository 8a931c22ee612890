/** A slip of the fingers is at most this many letters away. */
const MAX_DISTANCE = 3;

/** The known word that was probably meant; undefined where none is like the typed one. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase();
  const scored = known
    .map((word) => ({ word, distance: editDistance(wanted, word) }))
    .filter(({ word, distance }) => distance <= Math.min(MAX_DISTANCE, Math.floor(word.length / 2)));
  return scored.reduce<(typeof scored)[number] | undefined>(
    (best, each) => (best !== undefined && best.distance <= each.distance ? best : each),
    undefined,
  )?.word;
}

/** Letters added, lost, changed, or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const at = (values: readonly number[], index: number) => values[index] ?? Number.POSITIVE_INFINITY;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + same,
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
