import type { Decision } from '../core/decision.ts';
import type { Hop } from './claim.ts';
import type { Connection } from './connection.ts';
import { AuditError, UpstreamError } from './errors.ts';
import { runTunnel, type TunnelRequest } from './tunnel.ts';
import type { Wire } from './wire.ts';

/** Whether the passthrough list names where this connection was dialled. */
export function isPassedThrough(connection: Connection, hop: Hop): boolean {
  const host = hop.name ?? hop.address;
  if (host === undefined || hop.port === undefined) return false;
  return connection.deps.policy.byName({ host, port: hop.port }).action === 'tunnel';
}

/** A tunnel, where both lists and addresses allow one; otherwise the request path finds the words for it. */
export async function tunnelFor(
  connection: Connection,
  hop: Pick<Hop, 'via' | 'port'>,
  host: string | undefined,
  sni: string | undefined,
): Promise<TunnelRequest | undefined> {
  const { policy } = connection.deps;
  if (host === undefined || hop.port === undefined) return undefined;
  const target = { host, port: hop.port };
  const named = policy.byName(target);
  if (named.action !== 'tunnel') return undefined;
  try {
    const { candidates, way, dnsMs } = await connection.deps.upstream.lookup(target, 'tunnel');
    const verdict = policy.byAddress(target, named, candidates);
    if (verdict.decision.verdict === 'deny') return undefined;
    return tunnelRequest(
      hop,
      target,
      sni,
      verdict.decision,
      way === undefined ? verdict.candidates : [way],
      dnsMs,
    );
  } catch (error) {
    if (error instanceof UpstreamError) return undefined;
    throw error;
  }
}

function tunnelRequest(
  hop: Pick<Hop, 'via'>,
  target: { host: string; port: number },
  sni: string | undefined,
  decision: Decision,
  candidates: TunnelRequest['candidates'],
  dnsMs: number | undefined,
): TunnelRequest {
  const facts = { via: hop.via, ...target, decision, ...(sni === undefined ? {} : { sni }) };
  return { facts, candidates, dnsMs };
}

/** Runs a tunnel on what is left of a connection. */
export async function passThrough(connection: Connection, wire: Wire, request: TunnelRequest): Promise<void> {
  const cancel = connection.begin();
  // A client that ends may still be reading: in a tunnel its end is passed on, not taken for its leaving.
  wire.onGone = undefined;
  try {
    await runTunnel(connection.deps, wire, request, cancel);
  } catch (error) {
    // Bytes that nobody can read cannot be answered with words either.
    if (!(error instanceof AuditError)) throw error;
    wire.reset();
  } finally {
    connection.finish(cancel);
    wire.destroy();
  }
}
