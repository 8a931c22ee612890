import { expect, test } from 'vitest';
import { runPaths } from '../../../../src/core/paths.ts';
import { openIndex } from '../../../../src/store/index/open.ts';
import { rebuildIndex } from '../../../../src/store/index/rebuild.ts';
import { startRecord } from '../../../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../../capture/facts.ts';
import { tempPaths } from '../support.ts';
import { dump, dumpIndex, search } from './support.ts';

test('an exchange is there with its first record, and complete with its last', async () => {
  const paths = tempPaths();
  const record = await startRecord(paths, startFacts());
  const index = await openIndex(paths);
  const exchange = await record.recorder.request(requestFacts(), {
    kind: 'whole',
    bytes: Buffer.from('{"say":"line one\\nneedle \\u00e9t\\u00e9"}'),
  });
  await index.catchUp();
  const open = dump(index.database)['events'];
  expect(open).toMatchObject([{ kind: 'exchange', host: 'api.example.com', outcome: null }]);
  await exchange.response(responseFacts());
  await exchange.responseData(Buffer.from('{"answer":"haystack"}'));
  await exchange.end(endFacts());
  await index.catchUp();
  expect(dump(index.database)['events']).toMatchObject([{ outcome: 'complete', status: 200 }]);
  for (const word of ['needle', 'ete', 'haystack', 'api', 'messages', '"one needle"']) {
    expect(search(index.database, word), word).toEqual([exchange.id]);
  }
  await record.end({ exitCode: 0 });
  await index.catchUp();
  const before = dump(index.database);
  await rebuildIndex(paths);
  expect(dump(index.database)).toEqual(before);
  index.close();
  expect(dumpIndex(paths.index)).toEqual(before);
  expect(runPaths(paths, record.run).dir).toContain(record.run);
});
