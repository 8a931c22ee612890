/** What a probe is told to try, as JSON in its first argument. */
export interface ProbeTask {
  /** Which of the two it is: the targets outside hear it. */
  readonly name: 'outside' | 'inside';
  /** Where the report goes: a TCP port on 127.0.0.1. */
  readonly reportPort: number;
  /** Listeners of doctor's own. */
  readonly tcp: readonly Address[];
  /** A UDP socket of doctor's own. */
  readonly udp: Address;
  /** Files that must not be seen. */
  readonly files: readonly string[];
  /** doctor's process, and the signal to send it. */
  readonly pid: number;
  readonly signal: NodeJS.Signals;
  /** Only in the jail: an address where gate must be met on port 443, and on port 53 over UDP. */
  readonly gate?: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a probe saw. What it reached is told by the targets themselves. */
export interface ProbeReport {
  /** Of the files, those that could be read. */
  readonly files: readonly string[];
  /** SHA-256 of the environment of doctor's process, which takes the right to trace it; empty where refused. */
  readonly environ: string;
  /** Whether a question on port 53 was answered. */
  readonly dns: boolean;
  /** What was refused, with the reasons. */
  readonly refusals: readonly string[];
}
