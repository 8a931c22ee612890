/**
 * gate as a contender: the product's own engine, policy, authority and recorder, with the store's worker and its
 * flushes, behind one proxy port. Arguments: folder, PEM file of the origin's CA, the origin's port.
 */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Jail } from '../../../../platform/jail.ts';
import { openRecord } from '../../../../src/capture/run-record.ts';
import { prepare } from '../../../../src/supervisor/prepare.ts';
import { serveHeld } from '../../../../src/supervisor/serve.ts';
import { startFacts } from '../../../unit/capture/facts.ts';

const [, , home = '', ca = '', originPort = ''] = process.argv;
const prepared = prepare({
  program: 'bench',
  flags: { upstreamCa: [ca], resolve: [`*:${originPort}:127.0.0.1`] },
  env: { GATE_HOME: home, HOME: home },
  cwd: home,
  onReload: () => undefined,
});
const { run, ...start } = startFacts();
const record = await openRecord(prepared.paths, run).begin(start);
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const jail: Jail = {
  platform: 'none',
  features: [],
  listeners: [{ server, port, scope: 'proxy' }],
  dnsSockets: [],
  launch: async () => undefined,
  ended: new Promise(() => undefined),
  signal: () => undefined,
  destroy: () => undefined,
};
const serving = serveHeld(prepared, { jail, ownPorts: new Set([port]), release: () => undefined }, record);
record.onFailure((error) => {
  throw error;
});
process.on('SIGTERM', () => {
  server.close();
  void serving
    .stop()
    .then(() => record.end({ exitCode: 0 }))
    .then(() => process.exit());
});
process.stdout.write(`${JSON.stringify({ port })}\n`);
