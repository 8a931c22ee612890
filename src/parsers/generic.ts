import { headerOf } from './headers.ts';
import { tryParse } from './json.ts';
import type { Parsed, Parser } from './parser.ts';

/** Everything else: says nothing of a model, and only whether a JSON request is one. */
export const generic: Parser = {
  name: 'generic',
  version: 1,
  claims: () => true,
  parse: ({ requestHeaders, request, whole }): Parsed => {
    const type = headerOf(requestHeaders, 'content-type') ?? '';
    const isBad =
      whole &&
      /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type) &&
      request !== undefined &&
      request.trim() !== '' &&
      tryParse(request) === undefined;
    return { toolResults: [], problems: isBad ? ['the request says JSON and is not'] : [] };
  },
};
