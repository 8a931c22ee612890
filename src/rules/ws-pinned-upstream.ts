import type { Rule } from './rule.ts';

/** A WebSocket that was opened and of which nothing was seen. */
export const wsPinnedUpstream: Rule = {
  code: 'ws_pinned_upstream',
  severity: 'info',
  when: 'A WebSocket upgrade succeeded and no message could be read.',
  settings: [],
  check: ({ protocol, status, ended, dataMessages }) =>
    protocol === 'websocket' && (status === 101 || status === 200) && ended && dataMessages === 0
      ? 'the upgrade succeeded and no message could be read'
      : undefined,
};
