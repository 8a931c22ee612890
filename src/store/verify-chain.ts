import { FIRST_PREV, lineHash } from './chain.ts';
import type { LineFinding } from './finding.ts';
import type { LedgerLine } from './ledger-reader.ts';

/** What the lines of a chained file amount to. */
export interface ChainResult {
  readonly findings: readonly LineFinding[];
  /** Whole lines. */
  readonly records: number;
  /** Hash of the last whole line. */
  readonly head: string;
  readonly tornBytes: number;
  /** Hash of the torn bytes. */
  readonly tornHash: string;
}

/** Follows a chain line by line; `result` says what was wrong with it. */
export interface ChainCheck {
  add(line: LedgerLine): void;
  result(): ChainResult;
}

/** A place where the chain does not hold. */
interface Break {
  readonly index: number;
  readonly seq: number | undefined;
  readonly isPrevWrong: boolean;
}

/** Makes a check at the beginning of a file. Memory grows only with damage and by one number a line. */
export function createChainCheck(): ChainCheck {
  const seqs: (number | undefined)[] = [];
  const breaks: Break[] = [];
  let prev = FIRST_PREV;
  let torn: Buffer = Buffer.alloc(0);

  return {
    add(line) {
      if (line.torn) {
        torn = line.bytes;
        return;
      }
      const seq = seqOf(line);
      const before = line.index === 0 ? -1 : seqs[line.index - 1];
      const isPrevWrong = seq !== undefined && line.record?.['prev'] !== prev;
      const isSeqWrong = before === undefined ? seq !== line.index : seq !== before + 1;
      if (isPrevWrong || isSeqWrong || seq === undefined)
        breaks.push({ index: line.index, seq, isPrevWrong });
      seqs.push(seq);
      prev = lineHash(line.bytes);
    },
    result: () => ({
      findings: explain(breaks, seqs),
      records: seqs.length,
      head: prev,
      tornBytes: torn.length,
      tornHash: lineHash(torn),
    }),
  };
}

/** The number of a record; what names no line before it is none, whatever else it says. */
function seqOf(line: LedgerLine): number | undefined {
  const { seq, prev } = line.record ?? {};
  return Number.isSafeInteger(seq) && typeof prev === 'string' ? Number(seq) : undefined;
}

/**
 * Says what most likely happened. A wrong `prev` alone means that the line before was edited; numbers that are
 * missing, out of order or twice there mean lines removed, moved or inserted.
 */
function explain(breaks: readonly Break[], seqs: readonly (number | undefined)[]): LineFinding[] {
  if (breaks.length === 0) return [];
  const order = orderOf(seqs);
  const seen = new Map<string, LineFinding>();
  for (const broken of breaks) {
    const finding = explainOne(broken, order);
    if (finding !== undefined) seen.set(`${finding.kind} ${finding.line}`, finding);
  }
  return [...seen.values()];
}

/** Leaves out that a line was edited where an error says already what became of that line. */
export function withoutEchoes(findings: readonly LineFinding[]): LineFinding[] {
  const isSaid = (line: number | undefined): boolean =>
    findings.some((other) => other.line === line && other.kind !== 'edited_line' && other.level === 'error');
  return findings.filter((finding) => finding.kind !== 'edited_line' || !isSaid(finding.line));
}

/** What the numbers of the lines say, taken together. */
interface Order {
  /** Where each number stands first. */
  readonly first: ReadonlyMap<number, number>;
  /** For each line the number that belongs there: one more than the greatest before, damaged lines counted. */
  readonly due: readonly number[];
}

function orderOf(seqs: readonly (number | undefined)[]): Order {
  const first = new Map<number, number>();
  const due: number[] = [];
  let next = 0;
  for (const [index, seq] of seqs.entries()) {
    due.push(next);
    if (seq !== undefined && !first.has(seq)) first.set(seq, index);
    next = seq === undefined ? next + 1 : Math.max(next, seq + 1);
  }
  return { first, due };
}

function explainOne(broken: Break, order: Order): LineFinding | undefined {
  const { index, seq, isPrevWrong } = broken;
  if (seq === undefined) return error('damaged_line', index, 'is not a record: it was damaged or edited');
  const due = order.due[index] ?? 0;
  if (seq === due) {
    if (!isPrevWrong) return undefined;
    if (index === 0) return error('edited_line', 0, 'does not begin a chain: its `prev` was edited');
    return error('edited_line', index - 1, 'was edited: the line after it carries another hash');
  }
  if (seq < due) {
    return order.first.get(seq) === index
      ? error('moved_line', index, `holds record ${seq}, which belongs further up`)
      : error('inserted_line', index, `repeats record ${seq}: it was inserted or edited`);
  }
  const missing = range(due, seq).filter((number) => !order.first.has(number));
  if (missing.length === 0) return error('moved_line', index, `holds record ${seq} where ${due} belongs`);
  const [first, last] = [missing[0] ?? due, missing.at(-1) ?? due];
  const removed =
    first === last ? `record ${first} was` : `records ${first} to ${last} (${missing.length}) were`;
  return error('removed_lines', index, `follows a gap: ${removed} removed`);
}

function range(from: number, to: number): number[] {
  // A number far beyond every record is itself the edit; nobody wants a list of a billion.
  return Array.from({ length: Math.min(to - from, 100_000) }, (_, offset) => from + offset);
}

function error(kind: LineFinding['kind'], index: number, what: string): LineFinding {
  return { level: 'error', kind, line: index + 1, message: `line ${index + 1} ${what}` };
}
