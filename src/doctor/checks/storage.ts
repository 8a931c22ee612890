import { existsSync } from 'node:fs';
import type { GatePaths } from '../../core/paths.ts';
import { type Check, found, type Problem, type Repair, warn } from '../check.ts';
import { flushProblems, freeBytes, spaceProblems } from '../disk.ts';
import { placeProblems } from '../places.ts';

const GiB = 1024 ** 3;

/** Can gate keep what it records, where nobody else can read it? */
export const storage: Check = {
  id: 'storage',
  title: 'Storage',
  needs: ['home'],
  outsideOnly: true,
  async run({ paths }) {
    const all = paths();
    const { data } = all;
    const free = freeBytes(data);
    const problems = [
      ...placeProblems(all),
      ...spaceProblems(data, free),
      ...flushProblems(data),
      ...(existsSync(data) ? await tailProblems(all) : []),
    ];
    return found(problems, `modes and owner are right, ${(free / GiB).toFixed(1)} GiB free, flushes work`);
  },
};

/** A writer that was killed leaves a torn last line. The next one ends it, so this is only told. */
async function tailProblems(paths: GatePaths): Promise<Problem[]> {
  const { readLineTail } = await import('../../store/line-tail.ts');
  return [paths.heads, paths.actions].flatMap((file) => {
    const { tornBytes } = readLineTail(file);
    if (tornBytes === 0) return [];
    const message = `${file} ends in ${tornBytes} bytes of a line that was never finished: a gate was killed, or the disk was full`;
    const fix = 'the next gate that writes to it goes on after them; `gate doctor --auto-repair` does so now';
    return [warn(message, fix, endTornLines(paths, file))];
  });
}

/** Every writer first ends what is torn, with a `recovered` record; this one has only that to say. Nothing is cut. */
function endTornLines(paths: GatePaths, file: string): Repair {
  const type = 'doctor.repair';
  const fields = { repaired: 'torn_tail' };
  return {
    what: `end the torn line of ${file} with a \`recovered\` record`,
    run: async () => {
      const { createActions } = await import('../../store/actions.ts');
      const { createChainedLog } = await import('../../store/chained-log.ts');
      if (file === paths.actions) createActions(paths).record(type, fields);
      else createChainedLog({ file, lock: paths.lock }).append({ type, fields });
    },
  };
}
