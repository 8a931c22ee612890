import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '../core/errors.ts';
import { appendAll, syncDir } from './files.ts';
import { createGroupCommit } from './group-commit.ts';
import { createRunFiles } from './run-files.ts';
import type { Batch, FromWorker, ToWorker, WorkerSetup } from './worker-protocol.ts';

/**
 * The store worker: owns the two files of one run. It appends what it is sent, acknowledges what is written and
 * what is durable, and stops for good at the first error: half a line may stand at the end of a file then, and
 * whatever came after it would be unreadable.
 */
function serve(port: MessagePort, setup: WorkerSetup): void {
  const files = createRunFiles();
  let written = 0;
  let failed = false;
  const tell = (message: FromWorker): void => port.postMessage(message);

  function fail(error: unknown): void {
    if (failed) return;
    failed = true;
    tell({ kind: 'failed', message: messageOf(error), code: codeOf(error) });
  }

  const commit = createGroupCommit({
    ...setup,
    onDurable: () => tell({ kind: 'ack', written, durable: commit.durable }),
    onError: fail,
  });

  function write(batch: Batch): void {
    const { pack, ledger } = files.apply(batch.ops, Buffer.from(batch.bytes));
    for (const bytes of gatherSmall(pack)) appendAll(setup.pack, bytes);
    if (ledger !== '') appendAll(setup.ledger, Buffer.from(ledger));
    written = batch.last;
    commit.wrote(written, { pack: pack.length > 0, ledger: ledger !== '' });
    if (batch.acknowledge) tell({ kind: 'ack', written, durable: commit.durable });
    if (batch.flush) commit.request();
  }

  async function close(): Promise<void> {
    commit.request();
    await commit.idle();
    if (!failed) tell({ kind: 'closed', head: files.head() });
    port.close();
  }

  function receive(message: ToWorker): void {
    if (message.kind === 'close') close().catch(fail);
    else if (failed) return;
    else if (message.kind === 'flush') commit.request();
    else write(message);
  }

  port.on('message', (message: ToWorker) => {
    try {
      receive(message);
    } catch (error) {
      fail(error);
    }
  });

  try {
    for (const dir of setup.dirs) syncDir(dir);
  } catch (error) {
    fail(error);
  }
}

/** One write for many small frames; big ones are not copied. */
function gatherSmall(frames: readonly Buffer[]): Buffer[] {
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);
  if (frames.length < 2 || total > 256 * 1024) return [...frames];
  return [Buffer.concat(frames, total)];
}

if (parentPort !== null) serve(parentPort, workerData as WorkerSetup);
