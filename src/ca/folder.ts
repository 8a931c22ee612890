/** A file to be placed into a folder; the shape that the jail takes. */
export interface TrustFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly content: string | Buffer;
  /** Permission bits. */
  readonly mode: number;
}

export interface TrustFolder {
  readonly folder: string;
  readonly files: readonly TrustFile[];
}
