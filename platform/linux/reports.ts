import { constants } from 'node:os';
import type { CommandEnd, RefusedAttempt } from '../jail.ts';

const NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
/** Two names of one number: the one that shells print. */
const PREFERRED: Readonly<Record<number, string>> = {
  6: 'SIGABRT',
  29: 'SIGIO',
  17: 'SIGCHLD',
  31: 'SIGSYS',
};
/** The first real-time signal that C libraries leave to programs. */
const SIGRTMIN = 34;

/** The name of a signal number, `SIGRTMIN+n` for real-time ones. */
export function signalName(number: number): string {
  if (number >= SIGRTMIN) return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
  return PREFERRED[number] ?? NAMES.get(number) ?? `SIG${number}`;
}

/** A status line `end exit N` or `end signal N`. */
export function parseEnd(kind: string | undefined, value: string | undefined): CommandEnd {
  const number = Number(value);
  return kind === 'signal' ? { signal: signalName(number), number } : { exitCode: number };
}

/** A line `PROTO ADDRESS PORT COUNT` (port 0: none); undefined for anything else. */
export function parseRefused(line: string): RefusedAttempt | undefined {
  const [proto, address, port, count] = line.split(' ');
  if (proto !== 'tcp' && proto !== 'udp' && proto !== 'icmp' && proto !== 'other') return undefined;
  if (address === undefined || count === undefined) return undefined;
  const attempt = { proto, address, count: Number(count) } as const;
  return port === '0' ? attempt : { ...attempt, port: Number(port) };
}
