/** http-mitm-proxy for the suites of the engine (test/helpers/other-rig.ts): orders as JSON in its argument, its port by IPC. */
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { Proxy as MitmProxy } from 'http-mitm-proxy';
import type { OtherOrders } from '../../../helpers/other-rig.ts';

const orders = JSON.parse(process.argv[2] ?? '') as OtherOrders;
/** It tells every error on the console; stderr is for what ends the process. */
console.debug = console.error = console.info = () => undefined;

interface Where {
  readonly host?: string | null;
  readonly port?: number | string | null;
}

/** As `--resolve` does for gate: nothing but the test's own names leads anywhere. */
function routed({ host, port }: Where): { host: string; port: number } {
  const name = host?.toLowerCase().replace(/\.$/, '');
  const known = orders.routes.find((each) => each.host === name && each.port === Number(port));
  if (known === undefined) throw new Error(`${host}:${port} leads nowhere in this test`);
  return { host: known.address, port: known.addressPort };
}

type Create = (options: object, done: (error: Error | null, socket?: Socket) => void) => Socket | undefined;

/** The agent with its dialling led through {@link routed}. */
function leading<A extends http.Agent>(agent: A): A {
  const hooked = agent as unknown as { createConnection: Create };
  const create = hooked.createConnection.bind(agent);
  hooked.createConnection = (options, done) => {
    try {
      return create({ ...options, ...routed(options) }, done);
    } catch (error) {
      done(error as Error);
      return undefined;
    }
  };
  return agent;
}

function tunnel(url: string, client: Socket, head: Buffer): void {
  const [host, port] = url.split(':');
  const upstream = net.connect({ ...routed({ host: host ?? '', port: port ?? '' }), allowHalfOpen: true });
  upstream.once('connect', () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  upstream.on('error', () => client.destroy());
  client.on('error', () => upstream.destroy());
  client.on('close', () => upstream.destroy());
}

const proxy = new MitmProxy();
proxy.onConnect((request, client, head, callback) => {
  const { url = '' } = request;
  if (orders.passthrough.includes(url)) tunnel(url, client as Socket, head);
  else callback();
});
const options = {
  port: 0,
  host: '127.0.0.1',
  sslCaDir: orders.home,
  keepAlive: true,
  httpAgent: leading(new http.Agent({ keepAlive: true })),
  httpsAgent: leading(new https.Agent({ keepAlive: true, ca: orders.originCa })),
};
proxy.listen(options, () => process.send?.({ port: proxy.httpPort }));
// What it does last, it may still die of.
process.on('message', () => setTimeout(() => process.exit(0), 30));
process.on('disconnect', () => process.exit(0));
