import type { RefusedTarget } from '../capture/refused-targets.ts';
import { type RunId, shortRunId } from '../core/ids.ts';

/** What the summary line counts. Flags are distinct (host, code). */
export interface SummaryCounts {
  readonly exchanges: number;
  readonly hosts: number;
  readonly tunnels: number;
  readonly published: number;
  readonly blocked: number;
  readonly refused: number;
  readonly highFlags: number;
  readonly unanalysed: number;
}

/**
 * The one line that gate prints after the command has ended, for example
 * `gate: 42 exchanges, 3 hosts, 1 blocked, 2 high flags (run K3F9QZ) - gate review`. Zero counts are left out
 * after the first two; whatever widened the jail is named.
 */
export function summaryLine(
  run: RunId,
  counts: SummaryCounts,
  widened: readonly string[],
  next: string,
): string {
  const parts = [plural(counts.exchanges, 'exchange'), plural(counts.hosts, 'host')];
  if (counts.tunnels > 0) parts.push(plural(counts.tunnels, 'tunnel'));
  if (counts.published > 0) parts.push(`${counts.published} from outside`);
  if (counts.blocked > 0) parts.push(`${counts.blocked} blocked`);
  if (counts.refused > 0) parts.push(`${counts.refused} refused`);
  if (counts.highFlags > 0) parts.push(plural(counts.highFlags, 'high flag'));
  if (counts.unanalysed > 0) parts.push(`${counts.unanalysed} not analysed`);
  const wide = widened.length === 0 ? '' : `, widened: ${widened.join(', ')}`;
  return `gate: ${parts.join(', ')} (run ${shortRunId(run)}${wide}) - ${next}`;
}

/**
 * The line after it where something was refused that a list entry would let through, for example
 * `gate: 2 refused: git.test:22 - gate passthrough git.test:22`. Of several targets the most frequent is named.
 */
export function refusedLine(
  targets: readonly RefusedTarget[],
  listedPorts: readonly number[],
): string | undefined {
  const target = targets[0];
  if (target === undefined) return undefined;
  const { host, port, reason, count } = target;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const listedMeanwhile = reason === 'port_not_captured' && listedPorts.includes(port);
  const next = listedMeanwhile ? 'on a list by now: run it again' : `gate passthrough ${where}`;
  return `gate: ${count} refused: ${where} - ${next}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
