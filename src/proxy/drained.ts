import type { Writable } from 'node:stream';
import { WireError } from './errors.ts';

/**
 * Waits until a stream that was full takes more. Rejects with a {@link WireError}: `stalled` after `stallMs`, and with
 * what `broken` gives when it is closed before.
 */
export function drained(
  stream: Writable,
  { stallMs, broken }: { readonly stallMs?: number | undefined; readonly broken: () => WireError },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: WireError): void => {
      clearTimeout(timer);
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => settle();
    const onClose = (): void => settle(broken());
    const onStall = (): void => settle(new WireError('stalled', `nothing was taken for ${stallMs} ms`));
    const timer = stallMs === undefined ? undefined : setTimeout(onStall, stallMs);
    stream.on('drain', onDrain);
    stream.on('close', onClose);
  });
}
