/** Adds to heads.jsonl and actions.jsonl, with other processes doing the same. Arguments: home, how often. */
import { newRunId } from '../../src/core/ids.ts';
import { gatePaths } from '../../src/core/paths.ts';
import { createActions } from '../../src/store/actions.ts';
import { createHeads } from '../../src/store/heads.ts';

const [home = '', times = '1'] = process.argv.slice(2);
const paths = gatePaths({ GATE_HOME: home });
const heads = createHeads(paths);
const actions = createActions(paths);
for (let n = 0; n < Number(times); n += 1) {
  const run = newRunId();
  heads.opened(run);
  actions.record('list.edit', { pid: process.pid, n });
  heads.closed(run, { records: n, head: '0'.repeat(64), packBytes: 0 });
}
