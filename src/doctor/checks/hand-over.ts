import type { Jail } from '../../../platform/jail.ts';
import { withBareJail } from '../bare-jail.ts';
import { type Check, fail, found, type Problem } from '../check.ts';

const FIX = 'run gate with Node 20, 22 or 24 (https://nodejs.org/en/download), and report it';

/**
 * Do the sockets that the helper makes in the jail arrive in this Node? They travel on a line that is Node's own
 * affair (`NODE_HANDLE`), so each new Node may break it. Where it does, the jail never stands and this check is late.
 */
export const handOver: Check = {
  id: 'hand-over',
  title: 'Hand-over',
  needs: ['helper', 'namespaces'],
  outsideOnly: true,
  linuxOnly: true,
  limitMs: 4000,
  async run() {
    return withBareJail((jail) => {
      const { listeners, dnsSockets } = jail;
      const detail = `${listeners.length} listeners and ${dnsSockets.length} DNS sockets came from the helper`;
      return found(missing(jail), detail);
    });
  },
};

function missing({ listeners, dnsSockets }: Jail): Problem[] {
  const listening = listeners.filter(({ server }) => server.listening);
  const serves = (scope: string, port?: number) =>
    listening.some((each) => each.scope === scope && (port === undefined || each.port === port));
  const wanted = [
    ['the listener of port 80', serves('any', 80)],
    ['the listener of port 443', serves('any', 443)],
    ["the proxy's listener", serves('proxy')],
    ['the DNS listener', serves('dns')],
    ['the DNS socket', dnsSockets.some((socket) => socket.address().port === 53)],
  ] as const;
  const lost = wanted.filter(([, isThere]) => !isThere).map(([name]) => name);
  if (lost.length === 0) return [];
  return [
    fail(`Node ${process.versions.node} did not take over ${lost.join(', ')}: nothing is captured`, FIX),
  ];
}
