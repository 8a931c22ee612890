import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything below a folder: path, mode, size, time of the last change, and the hash of each file. */
export function snapshot(folder: string): string[] {
  const { mode, size, mtimeNs, ino } = lstatSync(folder, { bigint: true });
  const isFolder = lstatSync(folder).isDirectory();
  const content = isFolder ? '' : createHash('sha256').update(readFileSync(folder)).digest('hex');
  const own = `${folder} ${ino} ${mode.toString(8)} ${isFolder ? '' : size} ${mtimeNs} ${content}`;
  const below = isFolder ? readdirSync(folder).sort() : [];
  return [own, ...below.flatMap((name) => snapshot(join(folder, name)))];
}
