import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of bodies that may become garbage before it is taken away. A body leaves several times its size. */
const BATCH = 16 * 1024 * 1024;

/**
 * Takes garbage away after so many bytes of bodies. V8 would leave it until it is a hundred megabytes and more: it
 * counts on a heap that may grow, and this thread is a guest beside somebody's work. Node offers no call for it, only
 * V8's own, which contexts have that are made after the flag was set.
 */
export function createCollector(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < BATCH) return;
    since = 0;
    collect();
  };
}
