import { anchorFolder } from './store.ts';

/** Debian, Ubuntu, Alpine, Gentoo, Void: update-ca-certificates(8). */
export const debian = anchorFolder({
  name: 'system',
  folder: '/usr/local/share/ca-certificates',
  refresh: ['update-ca-certificates'],
  hint: 'apt-get install ca-certificates (Alpine: apk add ca-certificates)',
});
