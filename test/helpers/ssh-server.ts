import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

/** A real sshd on loopback that lets the user who runs the tests in, by a key of its own. */
export interface SshServer {
  readonly port: number;
  /** The command by which git reaches it as HOST, which it proves to be by its host key. */
  command(host: string): string;
  stop(): Promise<void>;
}

/** Why there can be no sshd here, or undefined. */
export function noSshServer(): string | undefined {
  if (findProgram('sshd') === undefined) return 'no sshd here (openssh-server)';
  const shell = userInfo().shell ?? '';
  return /nologin|false/.test(shell) ? `the login shell of this user is ${shell}` : undefined;
}

/** Starts one; each connection gets an sshd process of its own, as inetd would give it. */
export async function startSshServer(dir: string): Promise<SshServer> {
  const file = (name: string) => join(dir, name);
  for (const name of ['host_key', 'user_key'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
  writeFileSync(file('authorized_keys'), readFileSync(file('user_key.pub')), { mode: 0o600 });
  writeFileSync(file('sshd_config'), config(file));
  // What the package's service does before it starts sshd.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const sshd = findProgram('sshd') ?? 'sshd';
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    spawn(sshd, ['-i', '-e', '-f', file('sshd_config')], { stdio: [socket, socket, 'ignore'] });
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    command(host) {
      writeFileSync(file('known_hosts'), `${host} ${readFileSync(file('host_key.pub'), 'utf8')}`);
      const options = ['IdentitiesOnly=yes', 'BatchMode=yes', `UserKnownHostsFile=${file('known_hosts')}`];
      return ['ssh', '-i', file('user_key'), ...options.flatMap((option) => ['-o', option])].join(' ');
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function config(file: (name: string) => string): string {
  return [
    `HostKey ${file('host_key')}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    '',
  ].join('\n');
}
