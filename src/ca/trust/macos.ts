import { join } from 'node:path';
import { hasProgram, succeeds, type TrustStore } from './store.ts';

/** macOS: the user's own login keychain, which needs no administrator; security(1) asks in a window. */
export const macos: TrustStore = {
  name: 'system',
  root: false,
  present: ({ platform }) => platform === 'darwin',
  lacking: ({ env }) =>
    hasProgram('security', env)
      ? undefined
      : { reason: 'the program `security` of macOS is missing', hint: 'add /usr/bin to PATH' },
  places: ({ home, certFile, commonName, env }) => {
    const path = join(home, 'Library/Keychains/login.keychain-db');
    return [
      {
        path,
        taken: () => succeeds(['security', 'find-certificate', '-c', commonName, path], env),
        install: [
          { command: ['security', 'delete-certificate', '-t', '-c', commonName, path], mayFail: true },
          { command: ['security', 'add-trusted-cert', '-r', 'trustRoot', '-k', path, certFile] },
        ],
        uninstall: [{ command: ['security', 'delete-certificate', '-t', '-c', commonName, path] }],
      },
    ];
  },
};
