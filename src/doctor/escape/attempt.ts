import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createJail } from '../../../platform/index.ts';
import type { Jail, RefusedAttempt } from '../../../platform/jail.ts';
import type { CheckContext } from '../check.ts';
import type { Evidence } from './judge.ts';
import { type Scene, setScene } from './scene.ts';
import { openTargets, type Targets, textOf } from './targets.ts';
import type { ProbeReport, ProbeTask } from './task.ts';

export interface Attempt {
  readonly evidence: Evidence;
  /** gate's own home was not there yet, and a scratch one stood for it. */
  readonly isScratch: boolean;
  readonly features: readonly string[];
}

/**
 * Sends the same probe out twice, once from a real jail, against targets of this process's own. Rejects with what
 * stops a jail, and when `signal` is aborted; nothing is left over in any case.
 */
export async function attemptEscape(context: CheckContext, signal: AbortSignal): Promise<Attempt> {
  const targets = await openTargets();
  let scene: Scene | undefined;
  try {
    scene = setScene(context);
    return await bothProbes(context, { scene, targets, signal });
  } finally {
    targets.stop();
    scene?.remove();
  }
}

interface Stage {
  readonly scene: Scene;
  readonly targets: Targets;
  readonly signal: AbortSignal;
}

async function bothProbes(context: CheckContext, stage: Stage): Promise<Attempt> {
  const { scene, targets, signal } = stage;
  const program = join(context.root(), 'dist', 'doctor-probe.js');
  const outsideCommand = command(program, task('outside', stage, targets.reportPort));
  const gate = targets.own ?? '127.0.0.1';
  const insideTask = { ...task('inside', stage, scene.proxyPort), gate };
  const refused: RefusedAttempt[] = [];
  const jail = await createJail(scene.spec(command(program, insideTask)), {
    refused: (attempt) => refused.push(attempt),
  });
  const [file, ...args] = outsideCommand;
  const child = spawn(file, args, { stdio: 'ignore', env: {}, cwd: '/' });
  const end = (): void => {
    jail.destroy();
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const captured = captures(jail);
    const said = reportIn(jail);
    await jail.launch();
    await Promise.all([jail.ended, ended(child)]);
    const [outside, inside] = [await soFar(targets.report), await soFar(said)].map(parse);
    const { met, tcp, environ, own } = targets;
    const evidence = { outside, inside, met, tcp, files: scene.files, environ, own, refused, captured };
    return { evidence, isScratch: scene.isScratch, features: jail.features };
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

function task(name: ProbeTask['name'], { scene, targets }: Stage, reportPort: number): ProbeTask {
  const { tcp, udp, signals } = targets;
  return { name, reportPort, tcp, udp, files: scene.files, pid: process.pid, signal: signals[name] };
}

function command(program: string, probe: ProbeTask): [string, ...string[]] {
  return [process.execPath, program, JSON.stringify(probe)];
}

/** The addresses that are dialled on port 443, as they come; and DNS questions are answered with themselves. */
function captures(jail: Jail): readonly string[] {
  const captured: string[] = [];
  for (const { server, scope } of jail.listeners) {
    if (scope !== 'any') continue;
    server.on('connection', (socket) => {
      if (socket.localAddress !== undefined) captured.push(socket.localAddress);
      socket.on('error', () => undefined);
      socket.end();
    });
  }
  for (const socket of jail.dnsSockets) {
    socket.on('message', (question, from) => socket.send(question, from.port, from.address));
  }
  return captured;
}

/** What the probe in the jail says on the proxy's port. */
function reportIn(jail: Jail): Promise<string> {
  return new Promise((resolve) => {
    for (const { server, scope } of jail.listeners) {
      if (scope === 'proxy') server.on('connection', (socket) => void textOf(socket).then(resolve));
    }
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

/** What a report has come to when its sender is gone: bytes in flight take a moment to be read. */
const IN_FLIGHT_MS = 500;

function soFar(report: Promise<string>): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(''), IN_FLIGHT_MS);
    void report.then((text) => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

function parse(text: string): ProbeReport | undefined {
  try {
    return JSON.parse(text) as ProbeReport;
  } catch {
    // The probe said nothing, or not all: the judge tells of a report that is missing.
    return undefined;
  }
}
