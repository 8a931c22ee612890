import { afterAll } from 'vitest';
import { type HttpsOrigin, startHttpsOrigin } from './https-origin.ts';
import { type TestHome, testHome } from './product.ts';

/** A home and an origin for all tests of a file, gone after them. Awaited where the file begins. */
export async function homeAndOrigin(
  ...of: Parameters<typeof startHttpsOrigin>
): Promise<{ readonly home: TestHome; readonly origin: HttpsOrigin }> {
  const home = testHome();
  const origin = await startHttpsOrigin(...of);
  afterAll(async () => {
    await origin.stop();
    home.remove();
  });
  return { home, origin };
}
