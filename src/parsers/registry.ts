import { messageOf } from '../core/errors.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { generic } from './generic.ts';
import { mcp } from './mcp.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Parsed, Parser, Traffic } from './parser.ts';

/** The parsers, in the order in which they are asked; the last claims everything. */
const PARSERS: readonly Parser[] = [anthropicMessages, openaiResponses, mcp, generic];

/** What came out of an exchange, and by which parser. */
export interface Reading extends Parsed {
  readonly parser: Pick<Parser, 'name' | 'version'>;
}

/** Reads an exchange with the first parser that claims it. Never throws: a failure is one of the problems. */
export function readTraffic(traffic: Traffic, parsers: readonly Parser[] = PARSERS): Reading {
  for (const parser of parsers) {
    try {
      if (!parser.claims(traffic)) continue;
      const parsed = parser.parse(traffic);
      const problems = parsed.problems.map((problem) => `${parser.name}: ${problem}`);
      return { ...parsed, problems, parser };
    } catch (error) {
      return { parser, toolResults: [], problems: [`${parser.name}: ${messageOf(error)}`] };
    }
  }
  return { parser: { name: 'none', version: 0 }, toolResults: [], problems: [] };
}
