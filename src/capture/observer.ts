import type { RequestFacts } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';

/** An exchange that is being recorded, with its facts as they came: nothing in them is masked. */
export interface ObservedExchange {
  readonly id: string;
  readonly seq: number;
  readonly facts: RequestFacts;
}

/** Is told what of an exchange can be read in the run's files. Called synchronously; must not throw. */
export interface ExchangeWatch {
  /** Message number `n` is written. */
  message(n: number): void;
  /** The `end` is durable; `requestTrailers` as they came. */
  ended(requestTrailers?: HeaderList): void;
}

/** Follows the exchanges of a run. */
export interface Observer {
  /** Holds back a request that has not begun, while there is too much to look at; undefined where it need not wait. */
  admit(): Promise<void> | undefined;
  opened(exchange: ObservedExchange): ExchangeWatch;
}
