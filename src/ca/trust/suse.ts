import { anchorFolder } from './store.ts';

/** openSUSE and SLES: a program of Debian's name with folders of its own. */
export const suse = anchorFolder({
  name: 'system',
  folder: '/etc/pki/trust/anchors',
  refresh: ['update-ca-certificates'],
  hint: 'zypper install ca-certificates',
});
