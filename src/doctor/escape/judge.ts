import type { RefusedAttempt } from '../../../platform/jail.ts';
import { fail, type Problem, warn } from '../check.ts';
import type { Address, ProbeReport, ProbeTask } from './task.ts';

/** All that is known after both probes. */
export interface Evidence {
  readonly outside: ProbeReport | undefined;
  readonly inside: ProbeReport | undefined;
  readonly met: ReadonlyMap<string, ReadonlySet<string>>;
  readonly tcp: readonly Address[];
  readonly files: readonly string[];
  /** What reading the environment of doctor's process gives. */
  readonly environ: string;
  /** The address of this machine that is not loopback. */
  readonly own: string | undefined;
  readonly refused: readonly RefusedAttempt[];
  /** Addresses for which gate's listener in the jail was dialled on port 443. */
  readonly captured: readonly string[];
}

/** One way out, with the probes that got through it. */
interface WayOut {
  readonly what: string;
  readonly by: (name: ProbeTask['name']) => boolean;
}

const REPORT = 'do not run agents here; report it with the output of `gate doctor --json`';
const BLAME =
  'see what on this machine interferes (security modules, the container around gate), then report it';

/** How many ways out are tried. */
export function waysOut(evidence: Evidence): readonly WayOut[] {
  const { met, tcp, files, environ } = evidence;
  const reports = { outside: evidence.outside, inside: evidence.inside };
  return [
    ...tcp.map(({ host, port }) => ({
      what: `a direct TCP connection to ${host}`,
      by: (name: ProbeTask['name']) => met.get(`tcp ${host} ${port}`)?.has(name) ?? false,
    })),
    { what: 'a UDP packet to an address of this machine', by: (name) => met.get('udp')?.has(name) ?? false },
    { what: 'a signal to a process outside', by: (name) => met.get('signal')?.has(name) ?? false },
    { what: "a look into a process outside, as ptrace's", by: (name) => reports[name]?.environ === environ },
    ...files.map((file) => ({
      what: `reading ${file}`,
      by: (name: ProbeTask['name']) => reports[name]?.files.includes(file) ?? false,
    })),
  ];
}

/** What the evidence says against the jail. A way that does not lead out without a jail either proves nothing. Pure. */
export function judge(evidence: Evidence): Problem[] {
  const { inside, outside } = evidence;
  if (inside === undefined) {
    return [fail('the probe in the jail did not report: a command there cannot reach gate', BLAME)];
  }
  const ways = waysOut(evidence);
  const open = ways.filter(({ by }) => by('inside'));
  const vain = ways.filter(({ by }) => !by('inside') && !by('outside'));
  return [
    ...open.map(({ what }) => fail(`the jail did not hold: it let through ${what}`, REPORT)),
    ...(vain.length === 0
      ? []
      : [warn(`proved nothing, as it does not work outside either: ${names(vain)}${why(outside)}`, BLAME)]),
    ...unmet(evidence, inside),
  ];
}

function names(ways: readonly WayOut[]): string {
  return ways.map(({ what }) => what).join('; ');
}

function why(outside: ProbeReport | undefined): string {
  if (outside === undefined) return ' (the probe outside did not report)';
  return outside.refusals.length === 0 ? '' : ` (${outside.refusals.join('; ')})`;
}

/** What must happen in a jail that works: gate is met, and what is refused is told. */
function unmet({ own, refused, captured, tcp }: Evidence, inside: ProbeReport): Problem[] {
  const problems: Problem[] = [];
  const gate = own ?? '127.0.0.1';
  if (!captured.includes(gate))
    problems.push(fail(`a connection to ${gate}:443 in the jail did not reach gate`, BLAME));
  if (!inside.dns) problems.push(fail(`a DNS question to ${gate} in the jail did not reach gate`, BLAME));
  const target = tcp.find(({ host }) => host === own);
  const isTold = refused.some(
    ({ proto, address, port }) => proto === 'tcp' && address === target?.host && port === target.port,
  );
  // Attempts on loopback are the jail's own affair and are not told.
  if (target !== undefined && !isTold)
    problems.push(
      fail(`a refused connection to ${target.host} was not reported: no ledger would show it`, BLAME),
    );
  return problems;
}
