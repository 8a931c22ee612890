/** How a run's files stood when they were closed, or were found. */
export interface RunHead {
  readonly records: number;
  /** SHA-256 of the last line. */
  readonly head: string;
  readonly packBytes: number;
}
