import type { Rule, Subject } from './rule.ts';

/** A tool server, or something that talks like one, that nobody has named. */
export const unknownMcpEndpoint: Rule = {
  code: 'unknown_mcp_endpoint',
  severity: 'medium',
  when: 'MCP traffic, or an event stream, from a host that is neither allowlisted nor a known MCP host.',
  settings: [],
  check: (subject) => {
    if (subject.allowlisted || subject.knownMcpHost) return undefined;
    if (subject.mcp) return `MCP with ${subject.host}:${subject.port}`;
    return isEventStream(subject) ? `an event stream from ${subject.host}:${subject.port}` : undefined;
  },
};

function isEventStream({ responseHeaders, denied }: Subject): boolean {
  return (
    !denied &&
    responseHeaders.some(
      ([name, value]) => name.toLowerCase() === 'content-type' && /^\s*text\/event-stream\b/i.test(value),
    )
  );
}
