/** http-mitm-proxy as a contender: is shown every piece and passes it on. Arguments as for gate. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { Proxy as MitmProxy } from 'http-mitm-proxy';
import { lookupLoopback } from '../loopback.ts';

const [, , home = '', ca = ''] = process.argv;
const proxy = new MitmProxy();
// It says every error on stdout, where only the port belongs.
console.debug = console.error = () => undefined;
proxy.onRequestData((_context, chunk, callback) => {
  callback(null, chunk);
});
proxy.onResponseData((_context, chunk, callback) => {
  callback(null, chunk);
});
const options = {
  port: 0,
  host: '127.0.0.1',
  sslCaDir: home,
  keepAlive: true,
  httpsAgent: new Agent({ keepAlive: true, ca: readFileSync(ca), lookup: lookupLoopback }),
};
proxy.listen(options, () => {
  process.stdout.write(`${JSON.stringify({ port: proxy.httpPort })}\n`);
});
process.on('SIGTERM', () => process.exit());
