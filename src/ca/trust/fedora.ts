import { anchorFolder } from './store.ts';

/** Fedora, RHEL and their relatives: update-ca-trust(8). */
export const fedora = anchorFolder({
  name: 'system',
  folder: '/etc/pki/ca-trust/source/anchors',
  refresh: ['update-ca-trust', 'extract'],
  hint: 'dnf install ca-certificates',
});
