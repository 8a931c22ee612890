import { spawnSync } from 'node:child_process';

/** How many processes of this machine have the word in their command line, and are in one of the states (proc(5)). */
export function alive(word: string, states?: string): number {
  const among = states === undefined ? [] : ['-r', states];
  const found = spawnSync('pgrep', ['-c', ...among, '-f', word], { encoding: 'utf8' });
  return Number(found.stdout.trim() || '0');
}

/** The only child of a process, or the only one of a name; throws where it is none or not alone. */
export function childOf(pid: number | undefined, name?: string): number {
  const args = ['-P', String(pid), ...(name === undefined ? [] : ['-x', name])];
  const found = spawnSync('pgrep', args, { encoding: 'utf8' }).stdout.trim();
  if (!/^\d+$/.test(found)) throw new Error(`pgrep ${args.join(' ')}: not one process but '${found}'`);
  return Number(found);
}
