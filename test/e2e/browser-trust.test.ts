import { expect, test } from 'vitest';
import { homeAndOrigin } from '../helpers/home-and-origin.ts';
import { echoText } from '../helpers/https-origin.ts';
import type { AnyRecord } from '../helpers/product.ts';
import { findProgram } from '../helpers/programs.ts';

/** Browsers in the jail trust gate by a policy that only the jail has: no profile is touched, none is even there. */
const { home, origin } = await homeAndOrigin('page.browser.test');

const URL = 'https://page.browser.test/page';
// Chromium refuses to sandbox root; for anybody else its own sandbox is part of what is shown.
const SANDBOX = process.geteuid?.() === 0 ? ['--no-sandbox'] : [];
const CHROMIUM = [...SANDBOX, '--headless', '--disable-gpu', '--virtual-time-budget=3000', '--dump-dom', URL];

const pages = (records: readonly AnyRecord[]) =>
  records.filter(({ type, url }) => type === 'request' && url === URL).length;

// promise: jail.trust, jail.nested
test.for(['chromium', 'google-chrome'])(
  '%s shows a page over TLS',
  { timeout: 60_000 },
  async (browser, { skip }) => {
    skip(findProgram(browser) === undefined, `no ${browser} here`);
    const result = await home.gate(['run', ...origin.runOptions, '--', browser, ...CHROMIUM]);
    expect(result.stdout).toContain(echoText('GET', '/page', '').trim());
    expect(pages(home.ledger())).toBeGreaterThan(0);
  },
);

// promise: jail.trust, jail.nested
test.for(['firefox', 'firefox-esr'])(
  '%s shows a page over TLS',
  { timeout: 60_000 },
  async (browser, { skip }) => {
    skip(findProgram(browser) === undefined, `no ${browser} here`);
    const command = [browser, '--headless', '--screenshot', 'page.png', URL];
    await home.gate(['run', ...origin.runOptions, '--', 'timeout', '40', ...command]);
    // It draws a page of its own where it does not trust the certificate: what was asked of the origin tells.
    expect(pages(home.ledger())).toBeGreaterThan(0);
  },
);
