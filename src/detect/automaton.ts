/** How many character classes there are: 0 others, 1-26 letters in any case, punctuation, digits at the top. */
export const CLASSES = 64;
/** The class of 0; the other digits follow it. */
export const FIRST_DIGIT = 54;
const PUNCTUATION = '-_./:@=+ #$%&?!~|<>,;\'"';

/** Maps each ASCII code to its class. Code points above share class 0, which no anchor contains. */
export function foldTable(): Uint8Array {
  const fold = new Uint8Array(128);
  for (let i = 0; i < 26; i++) {
    fold[97 + i] = i + 1;
    fold[65 + i] = i + 1;
  }
  for (let i = 0; i < PUNCTUATION.length; i++) fold[PUNCTUATION.charCodeAt(i)] = 27 + i;
  for (let i = 0; i < 10; i++) fold[48 + i] = FIRST_DIGIT + i;
  return fold;
}

/** An Aho-Corasick automaton as one flat table: `next[state * CLASSES + class]`. */
export interface Automaton {
  readonly fold: Uint8Array;
  readonly next: Uint16Array;
  /** For each state, 0 or 1 + an index into `hits`. */
  readonly accept: Uint16Array;
  /** Anchors that end in a state: numbers of anchors, in the order they were given. */
  readonly hits: readonly (readonly number[])[];
}

interface Node {
  readonly next: Map<number, number>;
  readonly own: number[];
  fail: number;
}

/** Builds the automaton that finds all anchors in one pass (Aho and Corasick, CACM 18(6), 1975). */
export function buildAutomaton(anchors: readonly string[]): Automaton {
  const fold = foldTable();
  const nodes = buildTrie(anchors, fold);
  const next = new Uint16Array(nodes.length * CLASSES);
  const accept = new Uint16Array(nodes.length);
  const hits: number[][] = [];
  const all = nodes.map((node) => [...node.own]);
  for (const index of breadthFirst(nodes)) {
    const node = at(nodes, index);
    if (index !== 0) at(all, index).push(...at(all, node.fail));
    for (let c = 0; c < CLASSES; c++) {
      const child = node.next.get(c);
      const fallback = index === 0 ? 0 : (next[node.fail * CLASSES + c] ?? 0);
      next[index * CLASSES + c] = child ?? fallback;
      if (child !== undefined) at(nodes, child).fail = fallback;
    }
    const found = at(all, index);
    if (found.length > 0) accept[index] = hits.push(found);
  }
  return { fold, next, accept, hits };
}

function buildTrie(anchors: readonly string[], fold: Uint8Array): Node[] {
  const nodes: Node[] = [{ next: new Map(), own: [], fail: 0 }];
  anchors.forEach((anchor, number) => {
    let state = 0;
    for (const char of anchor) {
      const c = fold[char.charCodeAt(0)] ?? 0;
      if (c === 0) throw new RangeError(`anchor '${anchor}' has a character without a class: '${char}'`);
      const node = at(nodes, state);
      const child = node.next.get(c) ?? nodes.push({ next: new Map(), own: [], fail: 0 }) - 1;
      node.next.set(c, child);
      state = child;
    }
    at(nodes, state).own.push(number);
  });
  return nodes;
}

/** Parents before children: a node's fail link is always shallower, hence already complete. */
function breadthFirst(nodes: readonly Node[]): number[] {
  const order = [0];
  for (let i = 0; i < order.length; i++) order.push(...at(nodes, at(order, i)).next.values());
  return order;
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no element ${index}`);
  return value;
}
