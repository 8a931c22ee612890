import { EXIT, GateError } from '../core/errors.ts';
import { parsePort } from '../policy/host.ts';
import type { RunFlags } from '../supervisor/settings.ts';
import { collect, command, type DefineCommand } from './command.ts';

interface ProxyFlags extends RunFlags {
  readonly port?: string;
}

/** `gate proxy`: permissive capture for a tool started elsewhere. */
export const defineProxy: DefineCommand = (context) =>
  command('proxy', 'Record what a tool that is started elsewhere sends through a proxy', [
    ['gate proxy', 'listen on a free port of 127.0.0.1 until Ctrl-C'],
    ['gate proxy --port 8080', 'on a port that is written down elsewhere'],
    ['gate proxy --enforce --label tool=editor', 'only listed hosts; with a label in the record'],
  ])
    .option('--port <port>', 'listen on this port of 127.0.0.1 instead of a free one')
    .option('--enforce', 'refuse hosts that are on neither the allowlist nor the passthrough list')
    .option('--allow <pattern>', 'allow a host for this run (repeatable)', collect)
    .option('--deny <pattern>', 'deny a host for this run (repeatable)', collect)
    .option('--passthrough <pattern>', 'tunnel a host unread for this run (repeatable)', collect)
    .option('--allow-local <port>', "let in a service of this machine's loopback (repeatable)", collect)
    .option('--resolve <host:port:addr[:port]>', 'send a host to a given address (repeatable)', collect)
    .option('--upstream-ca <file>', 'trust one more CA upstream (repeatable)', collect)
    .option('--label <key=value>', 'note a label in the record (repeatable)', collect)
    .action(async ({ port, ...flags }: ProxyFlags) => {
      const listenOn = port === undefined ? 0 : portOf(port);
      const { proxy } = await import('../supervisor/proxy.ts');
      context.finish(await proxy(argvOf(port, flags), listenOn, flags, context.io));
    });

/** How it was called, for the record. */
function argvOf(port: string | undefined, flags: RunFlags): string[] {
  const words = Object.entries({ ...flags, ...(port === undefined ? {} : { port }) });
  return words.flatMap(([name, value]) => {
    const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === true) return [option];
    return [value].flat().flatMap((each) => (typeof each === 'string' ? [option, each] : []));
  });
}

function portOf(text: string): number {
  const port = parsePort(text);
  if (port !== undefined) return port;
  throw new GateError('usage', `--port '${text}': not a port`, {
    hint: 'gate proxy --port 8080',
    exitCode: EXIT.usage,
  });
}
