import { type Check, fact } from '../check.ts';
import { attemptResult } from '../evidence.ts';

/** The audited edits the audit: its allowlist, and the key with which it could pass for any host. */
export const ownFiles: Check = {
  name: 'own_files',
  title: "gate's files",
  expected: 'the allowlist is read-only, the CA key is hidden',
  facts({ outside, inside, allowlist }) {
    const edit = attemptResult(inside, 'allowlist');
    const key = attemptResult(inside, 'caKey');
    return [
      fact(
        attemptResult(outside, 'allowlist') === 'done' && allowlist.edited !== allowlist.before,
        '',
        'the allowlist could not be edited outside the jail either: nothing is proven',
      ),
      fact(
        attemptResult(outside, 'caKey') === 'done',
        '',
        'the CA key could not be read outside the jail either: nothing is proven',
      ),
      fact(
        edit === 'EROFS' || edit === 'EACCES' || edit === 'EPERM',
        `allowlist ${edit}, unchanged`,
        `the edit came to ${edit}`,
      ),
      fact(allowlist.after === allowlist.before, '', 'the allowlist WAS CHANGED from inside the jail'),
      fact(key === 'ENOENT', `CA key ${key}`, `reading the CA key came to ${key}`),
    ];
  },
  id: () => undefined,
};
