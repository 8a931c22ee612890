import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { GateError } from '../../src/core/errors.ts';

/** The native helper, running: it speaks on four channels besides the terminal's. */
export interface Helper {
  readonly child: ChildProcess;
  /** Directives and commands go in. */
  readonly control: Duplex;
  /**
   * Status lines come out. Not by `control`: a stream that was written to when its other end was gone is given up, with
   * the last lines unread.
   */
  readonly reports: Duplex;
  /** Its other end lives in the jail's process 1, which ends everything when this end is gone. Refused attempts come out. */
  readonly deadman: Duplex;
}

/** Where the build puts it, seen from the bundle in `dist/` and from this source file. */
const PLACES = ['./native/gate-jail', '../../dist/native/gate-jail'];

/**
 * The path of the native helper.
 * @throws GateError `no_helper` (exit code 125) where it was not built.
 */
export function helperPath(): string {
  for (const place of PLACES) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (isExecutable(path)) return path;
  }
  throw new GateError('no_helper', 'the jail cannot be built: its native helper (gate-jail) is missing', {
    hint: 'install a C compiler (Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc glibc-static; Alpine: apk add gcc musl-dev linux-headers) and run `npm run build` in the clone; a package brings it: npm install --global gate-run',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts the helper in this process's group, with this process's terminal. */
export function startHelper(path: string): Helper {
  const child = spawn(path, [], {
    // The numbers of the places after the first three are FD_* in native/report.h.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe', 'pipe'],
    cwd: '/',
    env: {},
  });
  const [, , , , control, deadman, reports] = child.stdio as readonly unknown[];
  return { child, control: asDuplex(control), deadman: asDuplex(deadman), reports: asDuplex(reports) };
}

/** Extra pipes of a child are sockets in both directions, which the type of `stdio` does not say. */
function asDuplex(stream: unknown): Duplex {
  if (stream instanceof Duplex) return stream;
  throw new GateError('jail_failed', "the jail's helper could not be started: no channel to it");
}
