import type { ContenderName } from './contenders.ts';
import { type Load, SCENARIOS, type ScenarioName } from './scenarios.ts';
import { median, short } from './statistics.ts';

/** One contender's turn of one round. */
export interface Slice {
  readonly scenario: ScenarioName;
  readonly contender: ContenderName;
  readonly round: number;
  readonly load: Load;
  /** Of the contender, over all its threads; absent for direct. */
  readonly cpuMsPerExchange: number | undefined;
}

/** A line of the table. Ratios are medians over the rounds, each within its own round. */
export type Row = Readonly<Record<string, string | number>>;

/** The table of one scenario. */
export function rowsOf(slices: readonly Slice[], scenario: ScenarioName): Row[] {
  const here = slices.filter((slice) => slice.scenario === scenario);
  const names = [...new Set(here.map((slice) => slice.contender))];
  return names.map((name) => {
    const own = here.filter((slice) => slice.contender === name);
    const cells = scenario === 'events' ? eventCells(own, here) : rateCells(own, here);
    return { scenario: SCENARIOS[scenario].title, contender: name, ...cells };
  });
}

function rateCells(own: readonly Slice[], all: readonly Slice[]): Row {
  const rates = own.map(rate);
  return {
    'per s': short(median(rates)),
    min: short(Math.min(...rates)),
    max: short(Math.max(...rates)),
    'x direct': ratio(own, all, 'direct', rate),
    'x mitmdump': ratio(own, all, 'mitmdump', rate),
    'p50 ms': short(median(own.map(({ load }) => load.p50))),
    'p99 ms': short(median(own.map(({ load }) => load.p99))),
    'cpu ms': cpu(own),
  };
}

/** Of streams, what is added counts, not how many there are. */
function eventCells(own: readonly Slice[], all: readonly Slice[]): Row {
  const added = (value: (load: Load) => number | undefined): number =>
    short(
      median(
        own.map((slice) => (value(slice.load) ?? Number.NaN) - (value(direct(slice, all)) ?? Number.NaN)),
      ),
    );
  return {
    'added p50 ms': added((load) => load.eventP50),
    'p50 ms': short(median(own.map(({ load }) => load.eventP50 ?? Number.NaN))),
    'p99 ms': short(median(own.map(({ load }) => load.eventP99 ?? Number.NaN))),
    'p99 x direct': ratio(own, all, 'direct', ({ load }) => load.eventP99 ?? Number.NaN),
    'added first byte ms': added((load) => load.firstByte),
    'cpu ms': cpu(own),
  };
}

function rate({ load }: Slice): number {
  return load.exchanges / load.seconds;
}

function direct(slice: Slice, all: readonly Slice[]): Load {
  return (all.find((other) => other.contender === 'direct' && other.round === slice.round) ?? slice).load;
}

/** The median over the rounds of this contender's value by the other's, in the same round. */
function ratio(
  own: readonly Slice[],
  all: readonly Slice[],
  to: ContenderName,
  value: (slice: Slice) => number,
): number {
  const ratios = own.map((slice) => {
    const other = all.find((each) => each.contender === to && each.round === slice.round);
    return other === undefined ? Number.NaN : value(slice) / value(other);
  });
  return short(median(ratios));
}

function cpu(own: readonly Slice[]): number {
  return short(median(own.map((slice) => slice.cpuMsPerExchange ?? Number.NaN)));
}
