import type { Jail, JailSpec } from '../../platform/jail.ts';

/** A jail that hides and changes nothing: namespaces, network and listeners alone. */
const BARE: JailSpec = {
  command: ['true'],
  env: {},
  cwd: '/',
  capturePorts: [80, 443],
  loopbackPorts: [],
  proxyPort: 3128,
  readOnly: [],
  covers: [],
  overlays: [],
  replaced: [],
  allowSockets: [],
  nestedNamespaces: true,
};

/** Stands a jail, gives it to `look`, and takes it down; its command is never started. Rejects as `createJail` does. */
export async function withBareJail<T>(look: (jail: Jail) => T | Promise<T>): Promise<T> {
  const { createJail } = await import('../../platform/index.ts');
  const jail = await createJail(BARE, { refused: () => undefined });
  try {
    return await look(jail);
  } finally {
    jail.destroy();
  }
}
