import { existsSync } from 'node:fs';
import { type Check, fine, found, warn } from '../check.ts';

/** Did a gate die in the middle of a run, and did nobody note it yet? */
export const runs: Check = {
  id: 'runs',
  title: 'Runs',
  needs: ['home', 'native-module'],
  outsideOnly: true,
  async run({ paths }) {
    const { listRuns, markInterrupted } = await import('../../store/runs.ts');
    const all = listRuns(paths());
    const unmarked = all.filter(
      ({ state, heads, ledger }) =>
        state === 'interrupted' &&
        heads?.opened !== undefined &&
        heads.ended === undefined &&
        existsSync(ledger),
    );
    if (unmarked.length === 0) return fine(`${all.length} recorded, none waits to be marked`);
    const count = unmarked.length === 1 ? 'one run' : `${unmarked.length} runs`;
    const message = `${count} ended with the death of gate and is not marked as interrupted: \`gate verify\` says so of each`;
    const repair = {
      what: `mark ${count} as interrupted, as found`,
      run: () => void markInterrupted(paths()),
    };
    return found([warn(message, 'gate doctor --auto-repair (the next run does so, too)', repair)], '');
  },
};
