import type {
  DnsFacts,
  EndFacts,
  ExchangeRecorder,
  InformationalFacts,
  Recorder,
  RefusedFacts,
  RequestBody,
  RequestFacts,
  ResponseFacts,
  TunnelEnd,
  TunnelFacts,
} from '../../src/core/exchange.ts';
import type { HeaderList } from '../../src/core/headers.ts';
import { PATIENCE_MS } from './other-proxy.ts';

/** Everything that was recorded of one exchange. */
export interface RecordedExchange {
  readonly id: string;
  readonly facts: RequestFacts;
  readonly body: RequestBody;
  requestBytes: Buffer;
  requestLength: number;
  requestEnded: boolean;
  requestTrailers: HeaderList | undefined;
  readonly informational: InformationalFacts[];
  response: ResponseFacts | undefined;
  responseBytes: Buffer;
  responseLength: number;
  readonly pieces: number[];
  readonly messages: { from: 'client' | 'server'; opcode: number; bytes: Buffer }[];
  end: EndFacts | undefined;
}

export interface RecordedTunnel {
  readonly facts: TunnelFacts;
  end: TunnelEnd | undefined;
}

export type Step =
  | 'request'
  | 'requestData'
  | 'requestEnd'
  | 'informational'
  | 'response'
  | 'responseData'
  | 'message'
  | 'end'
  | 'tunnel';

/** A recorder in memory. `gate` is awaited in every promise: tests hold it, delay it, or make it fail. */
export interface MemoryRecorder extends Recorder {
  readonly exchanges: RecordedExchange[];
  readonly tunnels: RecordedTunnel[];
  readonly refusals: RefusedFacts[];
  /** Calls made after `end`, or out of order: must stay empty. */
  readonly violations: string[];
  gate: (step: Step) => Promise<void>;
  /** Waits until an exchange has ended (by index). */
  ended(index: number): Promise<RecordedExchange>;
  /** Waits for anything recorded. */
  until<T>(find: () => T | undefined): Promise<T>;
}

/** Makes a recorder that keeps everything (of bodies their length only, where asked) and checks the order of calls. */
export function createMemoryRecorder({ countOnly = false } = {}): MemoryRecorder {
  const exchanges: RecordedExchange[] = [];
  const tunnels: RecordedTunnel[] = [];
  const refusals: RefusedFacts[] = [];
  const violations: string[] = [];

  const recorder: MemoryRecorder = {
    exchanges,
    tunnels,
    refusals,
    violations,
    gate: () => Promise.resolve(),
    request: async (facts, body) => {
      const made: RecordedExchange = {
        id: `RUN:${exchanges.length}`,
        facts,
        body,
        requestBytes: body.kind === 'none' ? Buffer.alloc(0) : Buffer.from(body.bytes),
        requestLength: body.kind === 'none' ? 0 : body.bytes.length,
        requestEnded: body.kind !== 'open',
        requestTrailers: body.kind === 'whole' ? body.trailers : undefined,
        informational: [],
        response: undefined,
        responseBytes: Buffer.alloc(0),
        responseLength: 0,
        pieces: [],
        messages: [],
        end: undefined,
      };
      exchanges.push(made);
      await recorder.gate('request');
      return exchangeRecorder(recorder, made, countOnly);
    },
    tunnel: async (facts) => {
      const made: RecordedTunnel = { facts, end: undefined };
      tunnels.push(made);
      await recorder.gate('tunnel');
      return {
        id: 'RUN:t',
        end: async (end) => {
          if (made.end !== undefined) violations.push('tunnel ended twice');
          made.end = end;
        },
      };
    },
    refused: (facts) => {
      refusals.push(facts);
    },
    dns: (_facts: DnsFacts) => undefined,
    until,
    ended: (index) => until(() => (exchanges[index]?.end === undefined ? undefined : exchanges[index])),
  };
  return recorder;
}

function exchangeRecorder(
  recorder: MemoryRecorder,
  made: RecordedExchange,
  countOnly: boolean,
): ExchangeRecorder {
  const checked = (step: Step): Promise<void> => {
    if (made.end !== undefined) recorder.violations.push(`${step} after end of ${made.id}`);
    return recorder.gate(step);
  };
  return {
    id: made.id,
    requestData: (chunk) => {
      if (made.requestEnded) recorder.violations.push('requestData after requestEnd');
      made.requestLength += chunk.length;
      if (!countOnly) made.requestBytes = Buffer.concat([made.requestBytes, chunk]);
      return checked('requestData');
    },
    requestEnd: async (trailers) => {
      if (made.end !== undefined) recorder.violations.push('requestEnd after end');
      made.requestEnded = true;
      made.requestTrailers = trailers;
      await recorder.gate('requestEnd');
    },
    informational: (facts) => {
      if (made.response !== undefined) recorder.violations.push('informational after response');
      made.informational.push(facts);
      return checked('informational');
    },
    response: (facts) => {
      if (made.response !== undefined) recorder.violations.push('two responses');
      made.response = facts;
      return checked('response');
    },
    responseData: (chunk) => {
      if (made.response === undefined) recorder.violations.push('responseData before response');
      made.pieces.push(chunk.length);
      made.responseLength += chunk.length;
      if (!countOnly) made.responseBytes = Buffer.concat([made.responseBytes, chunk]);
      return checked('responseData');
    },
    message: (from, opcode, bytes) => {
      made.messages.push({ from, opcode, bytes: Buffer.from(bytes) });
      return checked('message');
    },
    end: async (facts) => {
      const permission = checked('end');
      await permission;
      made.end = facts;
    },
  };
}

/** Waits until something is found. */
export async function until<T>(find: () => T | undefined): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('nothing of the kind came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
