import type { Candidate } from '../core/policy.ts';
import type { Limits } from './limits.ts';
import { leadsTo, type Way } from './upstream-call.ts';
import type { Wire } from './wire.ts';

/** An HTTP/1.1 connection to an origin. */
export interface UpstreamConnection {
  readonly wire: Wire;
  readonly candidate: Way;
  readonly connectMs: number;
  readonly tlsMs: number | undefined;
}

interface Idle {
  readonly connection: UpstreamConnection;
  readonly timer: NodeJS.Timeout;
}

/** Idle connections, by scheme, host and port. */
export interface Pool {
  /** The connection used last, if one leads to an address that may be dialled now. */
  take(key: string, candidates: readonly Candidate[]): UpstreamConnection | undefined;
  /** Keeps a connection; `keepMs` is what the origin announced, where it did. */
  put(key: string, connection: UpstreamConnection, keepMs: number | undefined): void;
  stop(): void;
}

/** Makes a pool that forgets connections when they end, speak out of turn, or have been idle for too long. */
export function createPool(limits: Limits): Pool {
  const idle = new Map<string, Idle[]>();
  let stopped = false;

  const drop = (key: string, connection: UpstreamConnection): void => {
    const list = idle.get(key);
    const at = list?.findIndex((entry) => entry.connection === connection) ?? -1;
    if (list === undefined || at < 0) return;
    clearTimeout(list[at]?.timer);
    list.splice(at, 1);
    if (list.length === 0) idle.delete(key);
    connection.wire.onGone = undefined;
    connection.wire.destroy();
  };

  return {
    take: (key, candidates) => {
      const list = idle.get(key);
      for (let entry = list?.pop(); entry !== undefined; entry = list?.pop()) {
        clearTimeout(entry.timer);
        const { connection } = entry;
        connection.wire.onGone = undefined;
        if (
          !connection.wire.gone &&
          connection.wire.buffered === 0 &&
          leadsTo(connection.candidate, candidates)
        ) {
          connection.wire.socket.ref();
          return connection;
        }
        connection.wire.destroy();
      }
      idle.delete(key);
      return undefined;
    },
    put: (key, connection, keepMs) => {
      const list = idle.get(key) ?? [];
      const { wire } = connection;
      if (stopped || wire.gone || wire.buffered > 0 || list.length >= limits.poolSize) {
        wire.destroy();
        return;
      }
      const ms = Math.min(keepMs ?? limits.poolIdleMs, limits.poolIdleMs);
      const timer = setTimeout(() => drop(key, connection), ms);
      timer.unref();
      // An idle connection must not keep a process alive that has nothing else to do.
      wire.socket.unref();
      wire.onGone = () => drop(key, connection);
      list.push({ connection, timer });
      idle.set(key, list);
    },
    stop: () => {
      stopped = true;
      for (const [key, list] of [...idle]) {
        for (const entry of [...list]) drop(key, entry.connection);
      }
    },
  };
}
