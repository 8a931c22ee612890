/**
 * Runs a command in the jail with this terminal, for trying things by hand and for tests in a terminal:
 * `tsx test/helpers/jail-driver.ts [--spec JSON] -- command arguments…`. Refused attempts and the end go to stderr as
 * JSON lines when JAIL_TRACE is set. With JAIL_LATE a signal is passed on twice, the second time when the command has
 * ended of the first, and before anything is read of that. With JAIL_UNUSED the jail is taken down when it stands.
 */

import { createJail } from '../../platform/index.ts';
import type { Jail, JailSpec } from '../../platform/jail.ts';
import { GateError, messageOf } from '../../src/core/errors.ts';
import { leaveTerminalModes } from '../../src/supervisor/terminal.ts';

function parse(args: readonly string[]): JailSpec {
  const [first, json, ...rest] = args;
  const given = first === '--spec' && json !== undefined ? (JSON.parse(json) as Partial<JailSpec>) : {};
  const [program, ...more] = (first === '--spec' ? rest : args).filter(
    (word, index) => index > 0 || word !== '--',
  );
  if (program === undefined) throw new Error('no command');
  return {
    command: [program, ...more],
    env: { ...(process.env as Record<string, string>) },
    cwd: process.cwd(),
    capturePorts: [80, 443],
    loopbackPorts: [],
    proxyPort: 3128,
    readOnly: [],
    covers: [],
    overlays: [],
    replaced: [],
    allowSockets: [],
    nestedNamespaces: true,
    ...given,
  };
}

function trace(value: unknown): void {
  if (process.env['JAIL_TRACE']) process.stderr.write(`@jail ${JSON.stringify(value)}\n`);
}

function forwardSignals(jail: Jail): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) {
    process.on(signal, () => {
      jail.signal(signal);
      if (!process.env['JAIL_LATE']) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      jail.signal(signal);
    });
  }
}

async function main(): Promise<void> {
  leaveTerminalModes();
  const jail = await createJail(parse(process.argv.slice(2)), {
    refused: (attempt) => trace({ refused: attempt }),
  });
  trace({ features: jail.features });
  // Who asks a listener: the address that was dialled.
  for (const { server } of jail.listeners)
    server.on('connection', (socket) => socket.end(`${socket.localAddress}\n`));
  // An echo stands in for gate's DNS.
  for (const socket of jail.dnsSockets) {
    socket.on('message', (question, from) => socket.send(question, from.port, from.address));
  }
  if (process.env['JAIL_UNUSED']) {
    jail.destroy();
    return;
  }
  forwardSignals(jail);
  await jail.launch();
  const end = await jail.ended;
  trace({ end });
  if ('exitCode' in end) {
    process.exitCode = end.exitCode;
    return;
  }
  process.removeAllListeners(end.signal);
  process.kill(process.pid, end.number);
}

main().catch((error: unknown) => {
  process.stderr.write(`gate: ${messageOf(error)}\n`);
  if (error instanceof GateError && error.hint) process.stderr.write(`gate: ${error.hint}\n`);
  process.exitCode = error instanceof GateError ? error.exitCode : 1;
});
