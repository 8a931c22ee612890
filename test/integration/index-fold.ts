/**
 * Folds again and again, with other processes doing the same, until it is told to stop; then once more. With
 * `reindex` as the second word it makes the index anew each time. Arguments: home, [reindex].
 */
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { gatePaths } from '../../src/core/paths.ts';
import { openIndex } from '../../src/store/index/open.ts';
import { rebuildIndex } from '../../src/store/index/rebuild.ts';

const [home = '', what = 'fold'] = process.argv.slice(2);
const paths = gatePaths({ GATE_HOME: home });
let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();

const index = await openIndex(paths);
writeSync(1, 'ready\n');
let rounds = 0;
for (let last = false; !last; rounds += 1) {
  last = over;
  if (what === 'reindex') await rebuildIndex(paths);
  // Little at a time, so that turns are taken.
  else await index.catchUp({ limits: { bytes: 20_000, text: 20_000 } });
  index.read((database) => database.prepare('SELECT count(*) FROM events').get());
  await turn();
}
index.close();
writeSync(1, `rounds ${rounds}\n`);
