import type { HeaderList } from '../core/headers.ts';
import type { AnalysisRecord } from '../core/record.ts';
import type { RuleSettings } from '../rules/rule.ts';

/** What the main thread and the analysis worker say to each other. Bodies are not sent: the worker reads the run's files. */

/** One exchange, or some messages of one, to be analysed; its records are in the ledger. */
export interface Job {
  readonly id: string;
  readonly seq: number;
  readonly method: string;
  /** As they were sent: the ledger has them masked. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http/1.1' | 'h2' | 'websocket';
  readonly denied: boolean;
  readonly allowlisted: boolean;
  readonly knownMcpHost: boolean;
  /** First and last of the WebSocket messages that have not been analysed; both count. */
  readonly messages?: readonly [number, number];
  /** The exchange's `end` is in the ledger, and no other job for it follows. */
  readonly ended: boolean;
}

/** What is the same for all jobs of a run. */
export interface AnalysisSetup {
  readonly ledger: string;
  readonly pack: string;
  /** Key of the fingerprints (`mask.key`). */
  readonly maskKey: Uint8Array;
  readonly rules: RuleSettings;
  readonly jailed: boolean;
  readonly scanBytes: number;
}

/** The fields of an `analysis` record, without its envelope and its content. */
export type AnalysisFields = Pick<
  AnalysisRecord,
  'id' | 'messages' | 'flags' | 'secrets' | 'pii' | 'llm' | 'parser' | 'parserVersion' | 'notScanned'
>;

export interface Analysed {
  readonly fields: AnalysisFields;
  /** JSON of the texts; empty where there are none. */
  readonly content: Uint8Array;
}
