import { Cancel, Cancelled } from './cancel.ts';
import type { Limits } from './limits.ts';
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
  const dialling = new Map<string, Promise<Connected | OriginSession>>();
  const http1Only = new Map<string, number>();

  const dial = async (route: Route, key: string): Promise<Connected | OriginSession> => {
    // The dial serves everyone who waits for it, so nobody's leaving may cancel it.
    const connected = await dialer.connect(route, new Cancel());
    if (connected.h2) return sessions.add(key, route.target, connected);
    if (http1Only.size > 10_000) http1Only.clear();
    http1Only.set(key, Date.now() + HTTP1_ONLY_MS);
    return connected;
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
      await abandonable(others, options.cancel);
      return open(route, options, key);
    }
    const own = dial(route, key);
    dialling.set(key, own);
    const done = (): void => {
      if (dialling.get(key) === own) dialling.delete(key);
    };
    own.then(done, done);
    const made = await abandonable(own, options.cancel);
    return 'session' in made ? callOn(made) : { connected: made };
  };

  return { open, stop: sessions.stop };
}

/** Waits for work that others share; a cancel ends the waiting, not the work. */
function abandonable<T>(work: Promise<T>, cancel: Cancel): Promise<T> {
  return new Promise((resolve, reject) => {
    cancel.undo = () => reject(new Cancelled(cancel.outcome ?? 'client_aborted'));
    const settle = (tell: () => void): void => {
      cancel.undo = undefined;
      tell();
    };
    work.then(
      (made) => settle(() => resolve(made)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
