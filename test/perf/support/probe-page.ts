import type { Judged } from './hostile-bytes.ts';
import { type Outcome, SUITES } from './probe-suites.ts';
import { NO_HTTP2, type Verdict, verdictOf } from './probe-verdicts.ts';

/** A case, and what it says of the two. */
export interface Row {
  readonly suite: string;
  readonly name: string;
  readonly gate: Verdict;
  readonly other: Verdict;
}

/** Puts the outcomes of the two together, case by case; those that do not exist through CONNECT are left out. */
export function rowsOf(gate: readonly Outcome[], other: readonly Outcome[]): Row[] {
  const keyOf = ({ suite, name }: Outcome): string => `${suite}/${name}`;
  const others = new Map(other.map((each) => [keyOf(each), each]));
  return gate.flatMap((each) => {
    const own = verdictOf(each);
    const peer = others.get(keyOf(each));
    if (peer === undefined) throw new Error(`${keyOf(each)} was not asked of both`);
    const its = verdictOf(peer);
    if (own === undefined || its === undefined) return [];
    return [{ suite: each.suite, name: each.name, gate: own, other: its }];
  });
}

/** Cases of one suite, or of all, by what they say of the other proxy. */
export function totalsOf(rows: readonly Row[]): Record<string, number> {
  const count = (holds: Verdict['holds']): number => rows.filter(({ other }) => other.holds === holds).length;
  return {
    cases: rows.length,
    gate: rows.filter(({ gate }) => gate.holds === 'yes').length,
    yes: count('yes') + count('on the wire'),
    no: count('no'),
    notAsked: count('not asked'),
  };
}

const TOTALS = '| | cases | gate: yes | http-mitm-proxy: yes | no | not asked |\n|---|---|---|---|---|---|';

/** docs/probe-comparison.md. */
export function pageOf(rows: readonly Row[], judged: readonly Judged[], version: string): string {
  const suites = Object.entries(SUITES).map(([suite, title]) => {
    return { title, own: rows.filter((row) => row.suite === suite) };
  });
  const totals = suites.map(({ title, own }) => totalRow(title, own));
  const tables = suites.map(({ title, own }) => `## ${title}\n\n${HEAD}\n${own.map(caseRow).join('\n')}`);
  return `${[
    intro(version),
    [TOTALS, ...totals, totalRow('**all**', rows)].join('\n'),
    `${SETTINGS} ${ofHttp2(rows)}`,
    ...tables,
    firstBytes(judged, version),
  ].join('\n\n')}\n`;
}

const HEAD = '| case | gate | http-mitm-proxy |\n|---|---|---|';

function totalRow(title: string, rows: readonly Row[]): string {
  return `| ${[title, ...Object.values(totalsOf(rows))].join(' | ')} |`;
}

function caseRow({ name, gate, other }: Row): string {
  return `| ${name.replaceAll('|', '\\|')} | ${cell(gate)} | ${cell(other)} |`;
}

const CELLS: Readonly<Record<Verdict['holds'], (why: string) => string>> = {
  yes: () => 'yes',
  'on the wire': () => 'yes, on the wire',
  no: (why) => `**no**: ${why}`,
  'not asked': (why) => `– (${why})`,
};

const cell = ({ holds, why }: Verdict): string => CELLS[holds](why);

function intro(version: string): string {
  return `# The same probes, two proxies

Made by \`npm run bench:probes\`; do not edit. The suites with which gate's engine is tested (\`test/integration/proxy-*.test.ts\`), once against gate and
once against http-mitm-proxy ${version}: the same bytes from the client, the same origin, the same checks, through CONNECT.

- **yes**: every check of the case held.
- **yes, on the wire**: every check of what the client and the origin saw held. The case also looks into gate's record, or for gate's own words
  in an answer (\`x-gate-block\` and the like); that part was left out.
- **no**: a check of what the client or the origin saw did not hold; what came instead is told.
- **–**: the case is about something that only gate has (named in brackets). It was not asked, and counts for nobody.`;
}

const SETTINGS = `Where the case asks for a refusal, any 4xx and any end without an answer counts as one for http-mitm-proxy; a 5xx does not, since it says that the
request was acted on (\`... leads nowhere in this test\`: it set out for that host). What does not come within two seconds, does not come. Of names
and layout of header fields the exact bytes count only where they are what the case is about, and so do the masks and fragments of WebSocket messages.
http-mitm-proxy ran with \`keepAlive\`, agents that keep connections and trust the origin's CA, a CA that the client trusts, the names of the test and
no others (as \`--resolve\` gives them to gate), room for heads of 64 kB, an \`onConnect\` handler for hosts to be passed through unread, and no hooks
on data, which would change the framing; in a process of its own for each case. It is a library for programs that look at or change traffic, made with
other aims than gate's: a **no** here says where gate could not have been built on it, not that it fails at its own purpose.`;

function ofHttp2(rows: readonly Row[]): string {
  const refused = rows.filter(({ other }) => other.why === NO_HTTP2).length;
  return `${refused} of the ${totalsOf(rows)['no']} are cases of\nHTTP/2, which it does not offer to clients.`;
}

function firstBytes(judged: readonly Judged[], version: string): string {
  const rows = judged.map(({ name, said }) => `| ${name} | ${said.join(' | ')} |`);
  return `## Hostile first bytes

The answer to the first bytes of a connection to the proxy, as a status or as what became of the connection. \`200\` means that the proxy agreed to a tunnel to that name.

| first bytes | gate | http-mitm-proxy |
|---|---|---|
${rows.join('\n')}

http-mitm-proxy ${version} agrees to every CONNECT that Node's HTTP parser lets through and looks at the name only later, when it makes a
certificate or dials. gate judges the name first: a 400 is recorded as a request that was refused, and nothing is dialled. What is neither HTTP nor a
TLS hello on a captured port is closed and recorded (\`refused\`). The wait for an answer is one second.`;
}
