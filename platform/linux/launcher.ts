import { constants } from 'node:os';
import { createDeferred } from '../../src/core/deferred.ts';
import { GateError, messageOf } from '../../src/core/errors.ts';
import type { CommandEnd, CreateJail, Jail, JailEvents } from '../jail.ts';
import { execFailure, jailFailure } from './failures.ts';
import { receiveHandles } from './handles.ts';
import { type Helper, helperPath, startHelper } from './helper.ts';
import { createInside } from './inside.ts';
import { eachLine } from './lines.ts';
import { parseEnd, parseRefused } from './reports.ts';
import { encodeSpec } from './wire.ts';

/** How long a jail may take to end by itself when it is told to, in milliseconds. */
const PATIENCE_MS = 1000;
/** What is told of a command whose end nobody saw, for all of its jail was killed. */
const KILLED: CommandEnd = { signal: 'SIGKILL', number: constants.signals.SIGKILL };

/**
 * Makes a jail of namespaces with the native helper (see native/main.c for the order of its layers). A command that is
 * a text file without `#!` runs as a script of /bin/sh, as shells do.
 */
export const createLinuxJail: CreateJail = async (spec, events) => {
  const bytes = encodeSpec(spec);
  const session = createSession(startHelper(helperPath()), events);
  session.send(bytes);
  const features = await session.standing();
  return jailOf(session, features);
};

type Session = ReturnType<typeof createSession>;

/** What is known of one helper, from its start to the moment when nothing of it is left. */
function createSession(helper: Helper, events: JailEvents) {
  const { child, control, deadman, reports } = helper;
  const handles = receiveHandles(child);
  const inside = createInside((line) => control.write(line));
  const features: string[] = [];
  const stands = createDeferred<number>();
  const launched = createDeferred<void>();
  const closed = createDeferred<void>();
  let failure: GateError | undefined;
  let helperEnd = 'unknown';
  let end: CommandEnd | undefined;

  const words: Readonly<Record<string, (rest: readonly string[]) => void>> = {
    feature: ([name]) => features.push(name ?? ''),
    standing: ([count]) => stands.resolve(Number(count)),
    launched: () => launched.resolve(),
    error: ([step, errno, ...detail]) => {
      failure ??= jailFailure(step ?? '', Number(errno), detail.join(' '));
    },
    refused: ([count, ...path]) =>
      events.refused({ proto: 'unix', address: path.join(' '), count: Number(count) }),
    broken: () => {
      failure ??= new GateError('jail_failed', 'a part of the jail failed, so the command was ended', {
        hint: 'its connections were made by the process gate-broker, which is gone: was it killed, or was memory short?',
      });
    },
    exec: ([errno, ...path]) => {
      failure ??= execFailure(Number(errno), path.join(' '));
    },
    // Signals that were pending while gate was stopped are handled in this turn of the event loop, and passed on.
    continued: () => setImmediate(() => control.write('continue\n')),
    nosocket: ([number, errno]) => inside.failed(Number(number), Number(errno)),
    end: ([kind, value]) => {
      end = parseEnd(kind, value);
    },
  };
  eachLine(reports, (line) => {
    const [word = '', ...rest] = line.split(' ');
    words[word]?.(rest);
  });
  eachLine(deadman, (line) => {
    const attempt = parseRefused(line);
    if (attempt) events.refused(attempt);
  });
  child.on('message', inside.arrived);
  // What breaks them is the helper's end, which `close` tells.
  for (const stream of [control, deadman, reports]) stream.on('error', () => undefined);
  child.on('error', (error) => {
    failure ??= new GateError('jail_failed', `the jail's helper could not be started: ${messageOf(error)}`);
    closed.resolve();
  });
  // After its exit and the end of all streams: all of the jail is gone, and every report was read.
  child.on('close', (code, signal) => {
    helperEnd = signal ?? `exit code ${code}`;
    // Nothing is left that could connect to them.
    handles.closeAll();
    inside.closeAll();
    closed.resolve();
  });

  const ended = launched.promise
    .then(() => closed.promise)
    .then(() => {
      if (end === undefined && failure !== undefined) throw failure;
      return end ?? KILLED;
    });
  // Who failed to launch does not wait for the end.
  ended.catch(() => undefined);

  return {
    handles,
    send: (bytes: Buffer | string) => control.write(bytes),
    standing: () => standing(),
    launch: () => launch(),
    connect: inside.connect,
    ended,
    destroy: () => destroy(helper, closed.promise),
  };

  async function standing(): Promise<string[]> {
    const count = await Promise.race([stands.promise, closed.promise]);
    if (count === undefined) throw failure ?? lost(helperEnd);
    await Promise.race([handles.arrived(count), closed.promise]);
    return features;
  }

  async function launch(): Promise<void> {
    control.write('launch\n');
    await Promise.race([launched.promise, closed.promise]);
    if (failure) await closed.promise;
    if (failure || !launched.settled) throw failure ?? lost(helperEnd);
  }
}

/** Somebody killed the helper, or a limit did (`ulimit`, memory): it says itself what else goes wrong. */
function lost(helperEnd: string): GateError {
  const message = `the jail ended before its command was started (its helper: ${helperEnd})`;
  return new GateError('jail_failed', message, {
    hint: 'see to what killed it, such as ulimit; gate doctor',
  });
}

function jailOf(session: Session, features: readonly string[]): Jail {
  return {
    platform: 'linux',
    features,
    listeners: session.handles.listeners,
    dnsSockets: session.handles.dnsSockets,
    launch: session.launch,
    connect: session.connect,
    ended: session.ended,
    signal: (signal) => session.send(`signal ${constants.signals[signal]}\n`),
    destroy: session.destroy,
  };
}

function destroy({ child, control, deadman }: Helper, closed: Promise<void>): void {
  control.write('destroy\n');
  const timer = setTimeout(() => {
    deadman.destroy();
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  void closed.then(() => clearTimeout(timer));
}
