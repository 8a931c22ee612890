import { anchorFolder } from './store.ts';

/** Arch and its relatives: update-ca-trust(8) of p11-kit. */
export const arch = anchorFolder({
  name: 'system',
  folder: '/etc/ca-certificates/trust-source/anchors',
  refresh: ['update-ca-trust'],
  hint: 'pacman -S ca-certificates-utils',
});
