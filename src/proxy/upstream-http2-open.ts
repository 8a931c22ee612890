import type { Cancel } from './cancel.ts';
import type { Limits } from './limits.ts';
import { SharedWork } from './shared-work.ts';
import type { OpenOptions, Route, UpstreamCall } from './upstream-call.ts';
import type { Connected, Dialer } from './upstream-dial.ts';
import { Http2Call } from './upstream-http2.ts';
import { createSessions, type OriginSession } from './upstream-sessions.ts';

/** An HTTP/2 call; or, where the origin does not speak it, the HTTP/1.1 connection that came of asking, for one. */
export interface Opened {
  readonly call?: UpstreamCall;
  readonly connected?: Connected;
}

export interface Http2Opener {
  /** Undefined where the origin is known not to speak HTTP/2. */
  open(route: Route, options: OpenOptions, key: string): Promise<Opened | undefined>;
  stop(): void;
}

/** For how long an origin that chose HTTP/1.1 is not asked again, in milliseconds. */
const HTTP1_ONLY_MS = 10 * 60 * 1000;

/** Makes what opens HTTP/2 calls: one session an origin, dialled once however many requests wait for it. */
export function createHttp2Opener(dialer: Dialer, limits: Limits): Http2Opener {
  const sessions = createSessions(limits);
  const dialling = new Map<string, SharedWork<Connected | OriginSession>>();
  const http1Only = new Map<string, number>();

  const dial = async (
    route: Route,
    key: string,
    cancel: Cancel,
    owner: Cancel,
  ): Promise<Connected | OriginSession> => {
    const connected = await dialer.connect(route, cancel);
    if (connected.h2) return sessions.add(key, route.target, connected);
    if (http1Only.size > 10_000) http1Only.clear();
    http1Only.set(key, Date.now() + HTTP1_ONLY_MS);
    // It serves one request only, that of who began the dial; nobody else would ever close it.
    if (owner.outcome !== undefined) connected.socket.destroy();
    return connected;
  };

  const begin = (route: Route, key: string, owner: Cancel): SharedWork<Connected | OriginSession> => {
    const over = (): void => {
      if (dialling.get(key) === shared) dialling.delete(key);
    };
    const shared = new SharedWork((cancel) => dial(route, key, cancel, owner), over);
    dialling.set(key, shared);
    return shared;
  };

  const callOn = (entry: OriginSession): Opened => {
    const reused = entry.used;
    entry.used = true;
    return { call: new Http2Call({ entry, reused, limits }) };
  };

  const open: Http2Opener['open'] = async (route, options, key) => {
    if ((http1Only.get(key) ?? 0) > Date.now()) return undefined;
    const kept = options.fresh ? undefined : sessions.find(key, route.candidates);
    if (kept !== undefined) return callOn(kept);
    const others = dialling.get(key);
    if (others !== undefined && !options.fresh) {
      await others.join(options.cancel);
      return open(route, options, key);
    }
    const made = await begin(route, key, options.cancel).join(options.cancel);
    return 'session' in made ? callOn(made) : { connected: made };
  };

  return { open, stop: sessions.stop };
}
