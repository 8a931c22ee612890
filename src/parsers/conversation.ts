import type { Llm, Usage } from '../core/analysis.ts';
import type { Content, Parsed, ToolResult } from './parser.ts';

/** What a parser knows of one model call, before it is put in the form of the ledger. */
export interface Call {
  readonly provider: string;
  readonly api: string;
  readonly model: string | undefined;
  readonly session: { readonly id: string; readonly source: string } | undefined;
  readonly stream: boolean;
  readonly stopReason: string | undefined;
  readonly usage: Usage | undefined;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly content: Content;
  readonly allToolResults: readonly ToolResult[];
  readonly problems: readonly string[];
}

/** A call as the parts of an analysis. No price list is there yet, so no cost is known. */
export function parsedCall(call: Call): Parsed {
  const { content } = call;
  const llm: Llm = {
    provider: call.provider,
    api: call.api,
    model: call.model ?? null,
    session: call.session?.id ?? null,
    sessionSource: call.session?.source ?? null,
    stream: call.stream,
    stopReason: call.stopReason ?? null,
    usage: call.usage ?? null,
    costUsd: null,
    newMessages: content.newMessages.length,
    toolCalls: content.toolCalls.map(({ id, name }) => ({ id, name })),
    toolResults: content.toolResults.map(({ callId, name, isError }) => ({
      callId,
      ...(name === undefined ? {} : { name }),
      isError,
    })),
    ...(call.error === undefined ? {} : { error: call.error }),
  };
  return { llm, content, toolResults: call.allToolResults, problems: call.problems };
}

/**
 * The items that a request adds to the conversation that it resends: those after the model's last turn. Needs no
 * memory, so that retries, parallel calls and compaction cannot mislead it.
 */
export function newItems<T>(items: readonly T[], isModels: (item: T) => boolean): readonly T[] {
  // An answer that the client began itself (prefill) is part of the question.
  let end = items.length;
  while (end > 0 && isModels(items[end - 1] as T)) end -= 1;
  let start = end;
  while (start > 0 && !isModels(items[start - 1] as T)) start -= 1;
  return items.slice(start);
}

/** Turns pieces of parallel outputs, which come by index, into one text each. */
export function createSlots<T>(make: () => T): { at(index: unknown): T; all(): T[] } {
  const slots = new Map<number, T>();
  return {
    at(index) {
      const key = typeof index === 'number' ? index : 0;
      const known = slots.get(key);
      if (known !== undefined) return known;
      const made = make();
      slots.set(key, made);
      return made;
    },
    all: () => [...slots].sort(([a], [b]) => a - b).map(([, slot]) => slot),
  };
}
