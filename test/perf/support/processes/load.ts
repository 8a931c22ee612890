/** The load generator, one process for all contenders: takes orders over IPC, one at a time, and reports. */
import type { Socket } from 'node:net';
import { HOSTS, type Load, type Order, SCENARIOS } from '../scenarios.ts';
import { quantile } from '../statistics.ts';
import { connectTo, exchange } from '../wire-client.ts';

const PROSE = 'tell me more about what is in this file and what the next step would be '.repeat(14);
let asked = 0;

process.on('message', (order: Order) => {
  run(order).then(
    (load) => process.send?.({ load }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function run(order: Order): Promise<Load> {
  const { lanes, newHosts } = SCENARIOS[order.scenario];
  const tally: Tally = { times: [], events: [], firstBytes: [] };
  const started = performance.now();
  const until = started + order.ms;
  const enough = (): boolean => performance.now() >= until || (newHosts && tally.times.length >= HOSTS);
  await Promise.all(Array.from({ length: lanes }, () => lane(order, tally, enough)));
  const seconds = (performance.now() - started) / 1000;
  return report(tally, seconds);
}

interface Tally {
  readonly times: number[];
  readonly events: number[];
  readonly firstBytes: number[];
}

async function lane(order: Order, tally: Tally, enough: () => boolean): Promise<void> {
  const { fresh, newHosts, path, upload } = SCENARIOS[order.scenario];
  let socket: Socket | undefined;
  while (!enough()) {
    const host = newHosts ? `${order.tag}-${tally.times.length}.bench.test` : 'api.bench.test';
    const started = performance.now();
    socket ??= await connectTo({ ...order, host });
    const { firstByteMs, events } = await exchange(
      socket,
      request(`${host}:${order.originPort}`, path, upload),
    );
    tally.times.push(performance.now() - started);
    tally.firstBytes.push(firstByteMs);
    tally.events.push(...events);
    if (fresh) {
      socket.destroy();
      socket = undefined;
    }
  }
  socket?.destroy();
}

function request(host: string, path: string, bytes: number): Buffer {
  asked += 1;
  const body =
    bytes === 0 ? '' : `{"n":${asked},"text":"${PROSE.slice(0, bytes - 20 - String(asked).length)}"}`;
  const fields = `Host: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\n`;
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
}

function report({ times, events, firstBytes }: Tally, seconds: number): Load {
  const load = { exchanges: times.length, seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
  if (events.length === 0) return load;
  return {
    ...load,
    eventP50: quantile(events, 0.5),
    eventP99: quantile(events, 0.99),
    firstByte: quantile(firstBytes, 0.5),
  };
}
