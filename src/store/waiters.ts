import type { GateError } from '../core/errors.ts';

/** The promises that wait for acknowledgements. */
export interface Waiters {
  written(op: number): Promise<void>;
  durable(op: number): Promise<void>;
  ack(upTo: { readonly written: number; readonly durable: number }): void;
  fail(failure: GateError): void;
}

/** Makes an empty set of waiters. */
export function createWaiters(): Waiters {
  const written = createLine();
  const durable = createLine();
  return {
    written: written.wait,
    durable: durable.wait,
    ack(upTo) {
      written.reach(upTo.written);
      durable.reach(upTo.durable);
    },
    fail(failure) {
      written.fail(failure);
      durable.fail(failure);
    },
  };
}

interface Waiter {
  readonly op: number;
  resolve(): void;
  reject(error: GateError): void;
}

interface Line {
  wait(op: number): Promise<void>;
  reach(upTo: number): void;
  fail(failure: GateError): void;
}

/** Waiters in the order of their operations; nearly always they come in that order. */
function createLine(): Line {
  let waiting: Waiter[] = [];
  let reached = 0;
  return {
    wait(op) {
      if (op <= reached) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const waiter = { op, resolve, reject };
        const after = waiting.findLastIndex((other) => other.op <= op);
        waiting.splice(after + 1, 0, waiter);
      });
    },
    reach(upTo) {
      reached = upTo;
      const first = waiting.findIndex((waiter) => waiter.op > upTo);
      for (const waiter of waiting.splice(0, first === -1 ? waiting.length : first)) waiter.resolve();
    },
    fail(failure) {
      const rejected = waiting;
      waiting = [];
      for (const waiter of rejected) waiter.reject(failure);
    },
  };
}
