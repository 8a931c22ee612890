import { Cancel, Cancelled } from './cancel.ts';

/** Work that several wait for. It is cancelled when the last of them has left. */
export class SharedWork<T> {
  readonly #cancel = new Cancel();
  readonly #made: Promise<T>;
  readonly #over: () => void;
  #waiting = 0;

  /** Begins the work. `over`: it is done, has failed or is being cancelled, and nobody may join it any more. */
  constructor(work: (cancel: Cancel) => Promise<T>, over: () => void) {
    this.#over = over;
    this.#made = work(this.#cancel);
    this.#made.then(over, over);
  }

  /** Waits for it, as long as the one who waits is not cancelled. Rejects as the work does, or with {@link Cancelled}. */
  join(waiter: Cancel): Promise<T> {
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      waiter.undo = () => {
        const outcome = waiter.outcome ?? 'client_aborted';
        this.#waiting -= 1;
        if (this.#waiting === 0) {
          this.#over();
          this.#cancel.stop(outcome);
        }
        reject(new Cancelled(outcome));
      };
      const settle = (tell: () => void): void => {
        waiter.undo = undefined;
        tell();
      };
      this.#made.then(
        (made) => settle(() => resolve(made)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }
}
