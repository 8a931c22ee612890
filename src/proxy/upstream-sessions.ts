import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Candidate } from '../core/policy.ts';
import { urlAuthority } from './claim.ts';
import { headRoom } from './http2/fields.ts';
import type { Limits } from './limits.ts';
import { watchQuiet } from './quiet.ts';
import { leadsTo } from './upstream-call.ts';
import type { Connected } from './upstream-dial.ts';

const MIB = 1024 * 1024;

/** An HTTP/2 connection to an origin. */
export interface OriginSession {
  readonly session: ClientHttp2Session;
  readonly candidate: Candidate;
  readonly authority: string;
  readonly connectMs: number;
  readonly tlsMs: number | undefined;
  /** Whether any call has used it. */
  used: boolean;
  /** How many it carries. */
  streams: number;
  /** Counts a stream in, until it closes. */
  carry(stream: ClientHttp2Stream): void;
}

/** The HTTP/2 connections, by origin. */
export interface Sessions {
  /** One with room for another stream that leads to an address that may be dialled now. */
  find(key: string, candidates: readonly Candidate[]): OriginSession | undefined;
  /** Speaks HTTP/2 on a connection whose origin agreed to it. */
  add(key: string, target: { host: string; port: number }, connected: Connected): OriginSession;
  stop(): void;
}

/** Makes the keeper of HTTP/2 sessions: those that are going away, broken or idle are forgotten. */
export function createSessions(limits: Limits): Sessions {
  const open = new Map<string, OriginSession[]>();
  let stopped = false;

  const forget = (key: string, session: ClientHttp2Session): void => {
    const left = (open.get(key) ?? []).filter((entry) => entry.session !== session);
    if (left.length === 0) open.delete(key);
    else open.set(key, left);
  };

  return {
    find: (key, candidates) => {
      const usable = (entry: OriginSession): boolean =>
        !entry.session.closed &&
        !entry.session.destroyed &&
        hasRoom(entry) &&
        leadsTo(entry.candidate, candidates);
      return open.get(key)?.find(usable);
    },
    add: (key, target, { socket, candidate, connectMs, tlsMs }) => {
      const authority = urlAuthority(target.host, target.port, 443);
      // A session is over when the origin ends its side; a half-open socket would leave its streams waiting.
      socket.allowHalfOpen = false;
      const { maxHeaderListSize, ...room } = headRoom(limits.headBytes);
      const session = connect(`https://${authority}`, {
        ...room,
        createConnection: () => socket,
        maxSessionMemory: 256,
        settings: { enablePush: false, initialWindowSize: MIB, maxHeaderListSize },
      });
      const touch = watchQuiet(session, limits.poolIdleMs, () => {
        if (entry.streams === 0) session.close();
      });
      const entry: OriginSession = {
        ...{ session, candidate, authority, connectMs, tlsMs },
        used: false,
        streams: 0,
        carry(stream) {
          entry.streams += 1;
          stream.on('close', () => {
            entry.streams -= 1;
            touch();
          });
        },
      };
      if (stopped) session.destroy();
      session.on('connect', () => session.setLocalWindowSize(8 * MIB));
      // Its streams tell their callers; the session's own error has nobody else to go to.
      session.on('error', () => forget(key, session));
      session.on('goaway', () => forget(key, session));
      session.on('close', () => forget(key, session));
      open.set(key, [...(open.get(key) ?? []), entry]);
      return entry;
    },
    stop: () => {
      stopped = true;
      for (const list of [...open.values()]) {
        for (const { session } of list) session.destroy();
      }
      open.clear();
    },
  };
}

function hasRoom(entry: OriginSession): boolean {
  const most = entry.session.remoteSettings?.maxConcurrentStreams ?? 100;
  return entry.streams < most;
}
