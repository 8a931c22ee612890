import { existsSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from '../helpers/https-origin.ts';
import { type TestHome, testHome } from '../helpers/product.ts';
import { startGate, within } from '../helpers/shell.ts';

/** More than gate may ever hold, in MiB. */
const SIZE = 300;
const BYTES = SIZE * 1024 * 1024;
/** Of gate and all that it needs when idle, with room for what is on its way. */
const PEAK_MIB = 340;

let home: TestHome;
let origin: HttpsOrigin;

beforeAll(async () => {
  home = testHome();
  origin = await startHttpsOrigin('large.test', (request, response) => {
    let got = 0;
    request.on('data', (piece: Buffer) => {
      got += piece.length;
    });
    request.on('end', () => {
      if (request.url === '/down') send(response);
      else response.end(String(got));
    });
  });
});
afterAll(async () => {
  await origin.stop();
  home.remove();
});

function send(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': BYTES, 'content-type': 'application/octet-stream' });
  const piece = Buffer.alloc(1024 * 1024, 'no two pieces of this are alike: ');
  let left = SIZE;
  const more = (): void => {
    while (left > 0) {
      piece.writeUInt32LE(left, 64);
      left -= 1;
      if (left === 0) return void response.end(Buffer.from(piece));
      if (!response.write(Buffer.from(piece))) return void response.once('drain', more);
    }
  };
  more();
}

test.each([
  ['down', `curl -sS -o /dev/null -w '%{size_download}' https://large.test/down`],
  ['up', `head -c ${BYTES} /dev/zero | curl -sS -T - https://large.test/up`],
])(`${SIZE} MiB %s pass whole, are recorded whole, and are never held whole`, async (way, script) => {
  const run = startGate(home, ['run', '-q', ...origin.runOptions, '--', 'sh', '-c', script], 120_000);
  let peakKb = 0;
  await within(120_000, () => {
    const file = `/proc/${run.pid}/status`;
    const status = existsSync(file) ? readFileSync(file, 'utf8') : '';
    peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    return run.child.exitCode !== null;
  });
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 0, stdout: String(BYTES), stderr: '' });
  expect(peakKb).toBeGreaterThan(0);
  expect(peakKb / 1024).toBeLessThan(PEAK_MIB);
  const end = home.ledger().find(({ type }) => type === 'end');
  expect(end).toMatchObject({
    outcome: 'complete',
    [way === 'up' ? 'requestBody' : 'responseBody']: { bytes: BYTES },
  });
  expect((await home.gate(['verify', 'last'])).exitCode).toBe(0);
  process.stderr.write(`${SIZE} MiB ${way}: peak ${Math.round(peakKb / 1024)} MiB\n`);
});
