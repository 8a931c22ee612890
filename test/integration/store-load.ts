/**
 * A gate without a network: records exchanges as fast as it can and prints the id of each one that is
 * acknowledged. Started by store.test.ts and killed in the middle. Arguments: home, exchanges at a time.
 */
import { writeSync } from 'node:fs';
import { codeOf } from '../../src/core/errors.ts';
import { gatePaths } from '../../src/core/paths.ts';
import { startRecord } from '../helpers/record.ts';
import { endFacts, requestFacts, responseFacts, startFacts } from '../unit/capture/facts.ts';

const [home = '', concurrent = '8', limit = '1000000'] = process.argv.slice(2);
const say = (line: string): void => {
  // Straight into the pipe: what was acknowledged before the kill must be known to the test.
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) rest = rest.subarray(written(rest));
};

/** How much the pipe took; none while it is full, because the test reads more slowly. */
function written(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

const record = await startRecord(gatePaths({ GATE_HOME: home }), startFacts());
say(`run ${record.run}`);
record.onFailure((failure) => say(`failed ${failure.code}`));
let left = Number(limit);

async function work(worker: number): Promise<void> {
  while (left > 0) {
    left -= 1;
    const text = `worker ${worker} says ${left} `.repeat(1 + (left % 97));
    const exchange = await record.recorder.request(requestFacts(), {
      kind: 'whole',
      bytes: Buffer.from(text),
    });
    say(`request ${exchange.id}`);
    await exchange.response(responseFacts({ headers: [['content-type', 'text/event-stream']] }));
    for (let piece = 0; piece < left % 5; piece += 1) {
      await exchange.responseData(Buffer.from(`data: ${piece} ${text.slice(0, 200)}\n\n`));
    }
    await exchange.end(endFacts());
    say(`end ${exchange.id}`);
  }
}

try {
  await Promise.all(Array.from({ length: Number(concurrent) }, (_, worker) => work(worker)));
  await record.end({ exitCode: 0 });
  say('closed');
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : error;
  say(`rejected ${String(code)}`);
  process.exitCode = 125;
}
