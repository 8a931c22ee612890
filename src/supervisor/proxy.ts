import type { CommandEnd, Jail } from '../../platform/jail.ts';
import { listenOnLoopback } from '../../platform/loopback.ts';
import type { TrustPaths } from '../ca/bundle.ts';
import { createDeferred } from '../core/deferred.ts';
import type { Io } from '../core/io.ts';
import { type Hold, portsOf } from './hold.ts';
import { type Exit, run } from './run.ts';
import type { RunFlags } from './settings.ts';
import { makeTrustFolder } from './trust-folder.ts';

/** What ends `gate proxy`; other signals are nothing to it. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * `gate proxy`: a run whose command is started elsewhere. Says where it listens as the first line of stdout, and ends
 * with exit code 0 when it is told to. `argv` is how it was called. Throws GateError, exit code 125.
 */
export function proxy(argv: readonly string[], port: number, flags: RunFlags, io: Io): Promise<Exit> {
  const hold: Hold = async ({ prepared }) => {
    const listener = await listenOnLoopback(port);
    const folder = makeTrustFolder(prepared.trust);
    const announce = (): void => {
      io.stdout.write(`listening on http://127.0.0.1:${listener.port}\n`);
      if (!prepared.settings.quiet) io.stderr.write(howTo(listener.port, folder.paths));
    };
    const jail = listening(listener, announce);
    return { jail, ownPorts: portsOf(jail), release: folder.remove };
  };
  return run(['gate', 'proxy', ...argv], { ...flags, mode: 'permissive' }, io, hold);
}

/** The form of a jail around a command that somebody else starts: it is launched when told of, and ended by a signal. */
function listening(listener: Jail['listeners'][number], announce: () => void): Jail {
  const ended = createDeferred<CommandEnd>();
  const stop = (): void => {
    listener.server.close();
    ended.resolve({ exitCode: 0 });
  };
  return {
    platform: 'none',
    features: [],
    listeners: [listener],
    dnsSockets: [],
    launch: async () => announce(),
    ended: ended.promise,
    signal: (signal) => {
      if (ENDING.has(signal)) stop();
    },
    destroy: stop,
  };
}

/** Lines for a shell. They name files, so they hold as long as this proxy runs. */
function howTo(port: number, { bundle, extra }: TrustPaths): string {
  const url = `http://127.0.0.1:${port}`;
  return [
    'gate: in the shell of the tool, as long as this runs:',
    `  export HTTP_PROXY=${url} HTTPS_PROXY=${url} ALL_PROXY=${url} NO_PROXY=localhost,127.0.0.1,::1`,
    `  export http_proxy=${url} https_proxy=${url} all_proxy=${url} no_proxy=localhost,127.0.0.1,::1`,
    `  export NODE_EXTRA_CA_CERTS=${extra} NODE_USE_ENV_PROXY=1`,
    `  export SSL_CERT_FILE=${bundle} REQUESTS_CA_BUNDLE=${bundle} CURL_CA_BUNDLE=${bundle} GIT_SSL_CAINFO=${bundle}`,
    'gate: what does not use the proxy is not recorded; every user of this machine can use it. Ctrl-C ends it.',
    '',
  ].join('\n');
}
