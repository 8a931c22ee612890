import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { codeOf } from '../core/errors.ts';

/**
 * Makes a file with all of its content at once, unless there is one already: readers see nothing or everything,
 * and of several writers one wins. Returns whether this call made it. Throws the system's errors.
 */
export function placeOnce(path: string, content: string | Buffer, mode: number): boolean {
  const draft = draftOf(path);
  try {
    writeDraft(draft, content, mode);
    return linkOnce(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** As `placeOnce`, but in the place of a file that is there already. */
export function placeOver(path: string, content: string | Buffer, mode: number): void {
  const draft = draftOf(path);
  try {
    writeDraft(draft, content, mode);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A name beside the file, so that both are on one filesystem. */
function draftOf(path: string): string {
  return `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

function writeDraft(draft: string, content: string | Buffer, mode: number): void {
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(fd, content);
    // Set afterwards, because the umask takes bits away from the mode of a new file.
    fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function linkOnce(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
  }
  return copyOnce(draft, path);
}

/** What filesystems without hard links (FAT, some network and FUSE mounts) say. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV']);

function copyOnce(draft: string, path: string): boolean {
  try {
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}
