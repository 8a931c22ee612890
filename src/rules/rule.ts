import type { SecretSighting } from '../core/analysis.ts';
import type { HeaderList } from '../core/headers.ts';
import type { RuleCode, Severity } from '../core/rules.ts';

/** A result of a tool, as it went to the model. */
export interface ToolText {
  readonly name?: string;
  readonly text: string;
}

/** Everything that rules may look at: one exchange, taken apart. */
export interface Subject {
  readonly host: string;
  readonly port: number;
  /** By the allowlist as it was when the request was decided on. */
  readonly allowlisted: boolean;
  readonly knownMcpHost: boolean;
  /** The policy refused it: nothing went upstream. */
  readonly denied: boolean;
  /** The command was held in a jail. */
  readonly jailed: boolean;
  readonly protocol: 'http/1.1' | 'h2' | 'websocket';
  /** Absent when nothing was answered. */
  readonly status?: number;
  readonly responseHeaders: HeaderList;
  /** Bytes on the wire. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The exchange has ended; else this is about some of its messages. */
  readonly ended: boolean;
  /** Text and binary WebSocket messages so far, of both sides. */
  readonly dataMessages: number;
  readonly mcp: boolean;
  /** Found in what was sent and in what was answered. */
  readonly secrets: readonly SecretSighting[];
  readonly toolResults: readonly ToolText[];
  /** What went wrong in reading it, by parser or step. */
  readonly failures: readonly string[];
}

/** Thresholds, from the `rules` section of the configuration. */
export interface RuleSettings {
  readonly disabled: readonly RuleCode[];
  readonly oversizedRequestBytes: number;
  readonly oversizedResponseBytes: number;
  readonly envLines: number;
}

/** One rule: pure, and at most one flag an exchange. */
export interface Rule {
  readonly code: RuleCode;
  readonly severity: Severity;
  /** When it fires, for the documentation: one sentence. */
  readonly when: string;
  /** Keys of the `rules` section that it reads. */
  readonly settings: readonly (keyof RuleSettings)[];
  /** The detail of the flag; undefined where it does not fire. Never holds a secret. */
  readonly check: (subject: Subject, settings: RuleSettings) => string | undefined;
}
