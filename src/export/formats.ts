import { curlCommand, curlHead, noteCredentials } from './curl.ts';
import type { ExportedExchange } from './exchange.ts';
import { HAR_BEGIN, harEnd, harEntry } from './har.ts';
import { jsonLine } from './jsonl.ts';
import type { ExportFormat } from './names.ts';
import { createPlaceholders } from './placeholders.ts';
import { marked } from './shell.ts';

/** What is to be exported, oldest first; each may be gone through more than once. */
export interface ExportSource {
  /** With bodies. */
  exchanges(): AsyncIterable<ExportedExchange>;
  /** Without them. */
  heads(): Iterable<Pick<ExportedExchange, 'event' | 'records'>>;
}

/** Each format, as pieces of text: nothing is held in memory but one exchange. */
export const WRITERS: Readonly<Record<ExportFormat, (source: ExportSource) => AsyncGenerator<string>>> = {
  async *har(source) {
    const placeholders = createPlaceholders();
    yield HAR_BEGIN;
    let between = '\n';
    for await (const exchange of source.exchanges()) {
      yield `${between}${JSON.stringify(harEntry(exchange, placeholders))}`;
      between = ',\n';
    }
    yield `\n${harEnd(placeholders)}`;
  },
  async *jsonl(source) {
    const placeholders = createPlaceholders();
    for await (const exchange of source.exchanges()) yield jsonLine(exchange, placeholders);
  },
  async *curl(source) {
    const placeholders = createPlaceholders(marked);
    for (const head of source.heads()) noteCredentials(head, placeholders);
    yield curlHead(placeholders);
    for await (const exchange of source.exchanges()) yield curlCommand(exchange, placeholders);
  },
};
