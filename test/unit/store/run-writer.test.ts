import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lineHash } from '../../../src/store/chain.ts';
import { createGroupCommit } from '../../../src/store/group-commit.ts';
import { openRun } from '../../../src/store/run-writer.ts';
import { openTestRun, recordsOf } from './support.ts';

const META = { exchange: 1, side: 'request', type: 'application/octet-stream' } as const;

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

  it('has what was pushed in the files before it returns, and the rest soon after', async () => {
    const { writer, ledger, pack } = openTestRun();
    const stream = writer.openBody(META);
    for (const size of [1, 1000, 20_000, 300_000]) {
      const bytes = randomBytes(size);
      writer.append('response', { size });
      writer.data(stream, bytes);
      const before = statSync(ledger).size;
      writer.push();
      expect(readFileSync(pack).includes(bytes.subarray(0, 256 * 1024))).toBe(true);
      expect(readFileSync(ledger, 'utf8')).toContain(`"size":${size}`);
      await writer.written(writer.append('dns', { size }).op);
      expect(statSync(ledger).size).toBeGreaterThan(before);
    }
    await writer.close();
  });

  it('keeps nothing of what it was given, and writes much of it before the turn is over', async () => {
    const { writer, ledger, pack } = openTestRun();
    const stream = writer.openBody(META);
    const whole = randomBytes(200 * 32 * 1024);
    const piece = Buffer.alloc(32 * 1024);
    for (let at = 0; at < whole.length; at += piece.length) {
      whole.copy(piece, 0, at);
      writer.data(stream, piece);
      piece.fill(0);
    }
    expect(statSync(pack).size).toBeGreaterThan(5 * 1024 * 1024);
    writer.append('end', {}, { requestBody: { kind: 'open', stream } });
    await writer.close();
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

  it('fails for good, for everyone waiting, when it cannot go on', async () => {
    const { writer } = openTestRun();
    await writer.durable(writer.append('run.start', {}).op);
    const told: string[] = [];
    writer.onFailure(({ code }) => told.push(code));
    // A stream that was never opened: as good as any other fault inside.
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

describe('group commit', () => {
  it('never tries again after an error, and says it once', async () => {
    const errors: Error[] = [];
    let durable = 0;
    // A descriptor that is not open: every flush of it fails.
    const commit = createGroupCommit({
      pack: 2 ** 20,
      ledger: 2 ** 20 + 1,
      dirs: [],
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
