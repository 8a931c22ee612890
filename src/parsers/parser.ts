import type { Llm } from '../core/analysis.ts';
import type { HeaderList } from '../core/headers.ts';

/** One exchange as parsers see it: bodies decoded to text, undefined where there is none. */
export interface Traffic {
  readonly method: string;
  readonly host: string;
  /** Without the query. */
  readonly path: string;
  readonly requestHeaders: HeaderList;
  readonly responseHeaders: HeaderList;
  readonly status: number | undefined;
  readonly request: string | undefined;
  readonly response: string | undefined;
  /** Both bodies came to their end and were read whole; else what is missing is nobody's fault. */
  readonly whole: boolean;
}

/** A message as it stood in the conversation. */
export interface MessageText {
  readonly role: string;
  readonly text: string;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The input as JSON, or as it was sent. */
  readonly input: string;
}

export interface ToolResult {
  readonly callId: string;
  readonly name?: string;
  readonly isError: boolean;
  readonly text: string;
}

/** The texts of an exchange, as they stand in the `content` of an analysis. */
export interface Content {
  readonly newMessages: readonly MessageText[];
  /** The answer. */
  readonly text: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
  /** Of the new messages. */
  readonly toolResults: readonly ToolResult[];
}

export interface Parsed {
  readonly llm?: Llm;
  readonly content?: Content;
  /** All results in the request, resent ones too: they leave again each time. */
  readonly toolResults: readonly ToolResult[];
  /** What could not be read; what could be is in the rest. */
  readonly problems: readonly string[];
}

/** Reads one API. */
export interface Parser {
  readonly name: string;
  readonly version: number;
  /** Looks at the head, and at the first characters of the bodies at most. */
  claims(traffic: Traffic): boolean;
  /** May throw: then the exchange is `parse_error`, and its bytes are kept. */
  parse(traffic: Traffic): Parsed;
}
