import type { Http2Session } from 'node:http2';

/**
 * Calls `onQuiet` when nothing has been asked on a session for so many milliseconds, and again after as many more;
 * gives what says that something was. The timeout of node:http2 does not do: it is not taken off a session that is
 * over, and would keep all that belongs to it in memory until it runs out.
 */
export function watchQuiet(session: Http2Session, ms: number, onQuiet: () => void): () => void {
  const timer = setTimeout(() => {
    timer.refresh();
    onQuiet();
  }, ms);
  timer.unref();
  const touch = (): void => void timer.refresh();
  session.on('ping', touch);
  session.on('close', () => clearTimeout(timer));
  return touch;
}
