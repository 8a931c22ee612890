import type { HeaderList } from '../core/headers.ts';
import type { Paint } from './color.ts';
import type { ShownEvent } from './events.ts';

/** A body as it is shown: decoded and masked, or why it is not. */
export interface BodyText {
  readonly bytes: number;
  readonly sha256: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly incomplete?: true;
  readonly text?: string;
  readonly left?: number;
  readonly problem?: string;
}

/** What `gate show --json` prints: an event, and what was sent and answered. */
export interface ShownExchange extends ShownEvent {
  readonly run: string;
  readonly via?: string;
  readonly address?: string;
  readonly decision?: {
    readonly verdict: string;
    readonly reason?: string;
    readonly list?: string;
    readonly pattern?: string;
  };
  readonly timing?: { readonly totalMs?: number; readonly firstByteMs?: number };
  readonly flags: readonly (ShownEvent['flags'][number] & { readonly detail: string })[];
  readonly secrets: readonly {
    readonly kind: string;
    readonly where: string;
    readonly masked: string;
    readonly fingerprint: string;
    readonly count: number;
  }[];
  readonly pii: Readonly<Record<'request' | 'response', Readonly<Record<string, number>>>>;
  readonly analysed: boolean;
  readonly llm?: {
    readonly provider: string;
    readonly model?: string;
    readonly session?: string;
    readonly stopReason?: string;
    readonly usage?: { readonly input: number; readonly output: number; readonly cacheRead: number };
    readonly costUsd: number | null;
    readonly toolCalls: readonly string[];
  };
  readonly error?: { readonly code: string; readonly message?: string };
  readonly request?: {
    readonly headers: HeaderList;
    readonly body?: BodyText;
    readonly trailers?: HeaderList;
  };
  readonly response?: {
    readonly status: number;
    readonly statusText?: string;
    readonly headers: HeaderList;
    readonly body?: BodyText;
    readonly trailers?: HeaderList;
  };
  readonly frames?: readonly {
    readonly n: number;
    readonly from: 'client' | 'server';
    readonly opcode: number;
    readonly body?: BodyText;
  }[];
}

/** How an exchange is shown. */
export interface ShowLook {
  readonly paint: Paint;
  /** Bodies to their end. */
  readonly full: boolean;
}
