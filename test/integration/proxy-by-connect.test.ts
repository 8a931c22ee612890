import { describe } from 'vitest';

/** The suites of the engine once more: what they send as captured connections comes through CONNECT here. */
process.env['GATE_TEST_ARRIVAL'] = 'connect';

describe('through CONNECT', async () => {
  await import('./proxy-edges.test.ts');
  await import('./proxy-http1.test.ts');
  await import('./proxy-http2.test.ts');
  await import('./proxy-probes.test.ts');
  await import('./proxy-websocket.test.ts');
});
