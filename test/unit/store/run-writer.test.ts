import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lineHash } from '../../../src/store/chain.ts';
import { createGroupCommit } from '../../../src/store/group-commit.ts';
import { createOutbox } from '../../../src/store/outbox.ts';
import { openRun } from '../../../src/store/run-writer.ts';
import type { ToWorker } from '../../../src/store/worker-protocol.ts';
import { openTestRun, recordsOf } from './support.ts';

const META = { exchange: 1, side: 'request', type: 'application/octet-stream' } as const;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('run writer', () => {
  it('numbers at once, writes in order, chains, and tells the head', async () => {
    const { writer, ledger, pack, dir } = openTestRun();
    const tickets = Array.from({ length: 500 }, (_, n) => writer.append('dns', { n }));
    expect(tickets.map(({ seq }) => seq)).toEqual(tickets.map((_, n) => n));
    expect(writer.nextSeq).toBe(500);
    const head = await writer.close();
    const lines = readFileSync(ledger, 'utf8').split('\n').slice(0, -1);
    expect(head).toEqual({ records: 500, head: lineHash(lines[499] ?? ''), packBytes: statSync(pack).size });
    for (const [n, record] of (await recordsOf(ledger)).entries()) {
      expect(record).toMatchObject({
        v: 1,
        seq: n,
        n,
        prev: n === 0 ? '0'.repeat(64) : lineHash(lines[n - 1] ?? ''),
      });
    }
    expect([ledger, pack, dir].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o700]);
  });

  it('has in the file what it says is written', async () => {
    const { writer, ledger, pack } = openTestRun();
    for (let n = 0; n < 50; n += 1) {
      const bytes = Buffer.from(`the body of ${n} `);
      const { op } = writer.append('request', { n }, { body: { kind: 'whole', meta: META, bytes } });
      await writer.written(op);
      expect(readFileSync(ledger, 'utf8')).toContain(`"n":${n},`);
      expect(readFileSync(pack).includes(bytes)).toBe(true);
    }
    await writer.close();
  });

  it('holds back what is too much, and writes all of it in the end', async () => {
    const { writer, ledger } = openTestRun(undefined, 64 * 1024);
    const stream = writer.openBody(META);
    let done = 0;
    const pieces = Array.from({ length: 200 }, (_, n) => {
      const op = writer.data(stream, Buffer.alloc(32 * 1024, n));
      return writer.written(op).then(() => {
        done += 1;
      });
    });
    await Promise.race(pieces);
    expect(done).toBeLessThan(200);
    await Promise.all(pieces);
    writer.append('end', {}, { requestBody: { kind: 'open', stream } });
    await writer.close();
    const whole = Buffer.concat(Array.from({ length: 200 }, (_, n) => Buffer.alloc(32 * 1024, n)));
    expect((await recordsOf(ledger))[0]?.['requestBody']).toMatchObject({
      bytes: whole.length,
      sha256: lineHash(whole),
    });
  });

  it('never writes over a run', async () => {
    const { writer, ledger, pack, dir } = openTestRun();
    expect(() => openRun({ dir, ledger, pack })).toThrow(
      expect.objectContaining({ code: 'audit_unavailable' }),
    );
    await writer.close();
    writeFileSync(ledger, 'old');
    expect(() => openRun({ dir, ledger, pack })).toThrow();
    expect(readFileSync(ledger, 'utf8')).toBe('old');
  });

  it('fails for good, for everyone waiting, when the worker cannot go on', async () => {
    const { writer } = openTestRun();
    await writer.durable(writer.append('run.start', {}).op);
    const told: string[] = [];
    writer.onFailure(({ code }) => told.push(code));
    // A stream that was never opened: as good as any other fault inside the worker.
    const bad = writer.data(99, Buffer.from('x'));
    const after = writer.append('dns', {});
    const waiting = [writer.written(bad), writer.durable(bad), writer.written(after.op), writer.close()];
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'audit_unavailable', exitCode: 125 },
      });
    }
    expect(told).toEqual(['audit_unavailable']);
    await expect(writer.durable(writer.append('dns', {}).op)).rejects.toBe(writer.failure);
  });

  it('refuses records after its end without hanging', async () => {
    const { writer } = openTestRun();
    await writer.close();
    await expect(writer.written(writer.append('dns', {}).op)).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
  });
});

describe('outbox', () => {
  it('sends one message for one turn, and asks for a flush only where one is wanted', async () => {
    const posted: ToWorker[] = [];
    const outbox = createOutbox({ post: (message) => posted.push(message), maxInFlight: 1000 });
    onTestFinished(() => outbox.stop());
    for (let n = 0; n < 10; n += 1) outbox.add({ op: 'data', stream: n, bytes: Buffer.from('ab') });
    await nextTurn();
    outbox.add({ op: 'data', stream: 1, bytes: Buffer.from('ab') });
    outbox.flush();
    outbox.flush();
    await nextTurn();
    outbox.flush();
    expect(
      posted.map((message) => (message.kind === 'batch' ? [message.ops.length, message.flush] : [])),
    ).toEqual([
      [10, false],
      [1, true],
    ]);
  });
});

describe('group commit', () => {
  it('never tries again after an error, and says it once', async () => {
    const errors: Error[] = [];
    let durable = 0;
    // A descriptor that is not open: every flush of it fails.
    const commit = createGroupCommit({
      pack: 2 ** 20,
      ledger: 2 ** 20 + 1,
      onDurable: () => {
        durable += 1;
      },
      onError: (error) => errors.push(error),
    });
    for (let n = 1; n <= 3; n += 1) {
      commit.wrote(n, { pack: true, ledger: true });
      commit.request();
      await commit.idle();
    }
    expect([errors.length, durable, commit.durable]).toEqual([1, 0, 0]);
  });
});
