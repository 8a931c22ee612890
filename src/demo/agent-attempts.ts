import { Resolver, resolve4 } from 'node:dns/promises';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AgentLine } from './line.ts';
import type { Attempt, Plan } from './plan.ts';

/** How long the agent waits for an answer that need not come, in milliseconds. */
const PATIENCE_MS = 1500;

/** Each way out; gives what it got, and throws the system's error where it got nothing. */
const WAYS: Readonly<Record<Attempt, (plan: Plan) => Promise<string>>> = {
  async socket({ outside: { address, tcpPort } }) {
    const socket = connect({ host: address, port: tcpPort, signal: AbortSignal.timeout(PATIENCE_MS) });
    await once(socket, 'connect');
    socket.destroy();
    return 'done';
  },
  async resolver({ outside: { address, udpPort }, names }) {
    const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
    resolver.setServers([`${address.includes(':') ? `[${address}]` : address}:${udpPort}`]);
    return String(await resolver.resolve4(names.outside));
  },
  name: async ({ names }) => String(await resolve4(names.jail)),
  async allowlist({ allowlist }) {
    appendFileSync(allowlist, '*.collector.test\n');
    return 'done';
  },
  async caKey({ caKey }) {
    readFileSync(caKey);
    return 'done';
  },
};

/** Tries the ways out, one after the other. */
export async function makeAttempts(
  plan: Plan,
  names: readonly Attempt[],
  tell: (line: AgentLine) => void,
): Promise<void> {
  for (const name of names) {
    const result = await WAYS[name](plan).catch(codeOfAttempt);
    tell({ type: 'attempt', name, result });
  }
}

function codeOfAttempt(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return String(code ?? name);
}
