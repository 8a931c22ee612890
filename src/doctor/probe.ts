import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Address, ProbeReport, ProbeTask } from './escape/task.ts';

/**
 * A short attempt to get out of a jail, started by doctor as a program: once outside, where all of it must work, and
 * once inside. It goes nowhere but to targets of doctor's own.
 */

/** Loopback answers at once; an address that swallows packets must not hold the probe. */
const PATIENCE_MS = 700;

const refusals: string[] = [];

function refused(what: string, error: unknown): void {
  refusals.push(`${what}: ${codeOf(error) ?? messageOf(error)}`);
}

/** Connects and says who it is; resolves in any case. */
function tryTcp({ host, port }: Address, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('error', (error) => refused(`tcp ${host} ${port}`, error));
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(text);
  });
}

/** Sends twice, since the first refusal is told only to the second; resolves with whether something came back. */
function tryUdp({ host, port }: Address, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const done = (isAnswered: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners('error').on('error', () => undefined);
      socket.close(() => resolve(isAnswered));
    };
    const timer = setTimeout(() => done(false), PATIENCE_MS);
    const failed = (error: unknown): void => {
      refused(`udp ${host} ${port}`, error);
      done(false);
    };
    socket.once('message', () => done(true));
    socket.once('error', failed);
    socket.connect(port, host, () => {
      for (let count = 0; count < 2; count++) socket.send(text);
    });
  });
}

function canRead(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch (error) {
    refused(file, error);
    return false;
  }
}

function environOf(pid: number): string {
  try {
    const bytes = readFileSync(`/proc/${pid}/environ`);
    return bytes.length === 0 ? '' : createHash('sha256').update(bytes).digest('hex');
  } catch (error) {
    refused(`/proc/${pid}`, error);
    return '';
  }
}

function trySignal({ pid, signal }: ProbeTask): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    refused(`signal to ${pid}`, error);
  }
}

async function probe(task: ProbeTask): Promise<ProbeReport> {
  trySignal(task);
  const environ = environOf(task.pid);
  const files = task.files.filter(canRead);
  const meetGate = task.gate === undefined ? undefined : { host: task.gate, port: 443 };
  const [dns] = await Promise.all([
    task.gate === undefined ? false : tryUdp({ host: task.gate, port: 53 }, task.name),
    tryUdp(task.udp, task.name),
    ...task.tcp.map((address) => tryTcp(address, task.name)),
    ...(meetGate === undefined ? [] : [tryTcp(meetGate, task.name)]),
  ]);
  return { files, environ, dns, refusals };
}

const task = JSON.parse(process.argv[2] ?? '{}') as ProbeTask;
const report = await probe(task);
connect({ host: '127.0.0.1', port: task.reportPort }).end(JSON.stringify(report));
