import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Where a program is: on the PATH, or in the system's folders that a user's PATH leaves out. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const places = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  return places.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
