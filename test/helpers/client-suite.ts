import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, vi } from 'vitest';
import { createTestAuthority, type TestAuthority } from './certs.ts';
import type { Client } from './client.ts';
import { createRig, type Rig, type RigOptions } from './client-rig.ts';
import { type Origin, type OriginOptions, startOrigin } from './origin.ts';
import { OTHER_PROXY, PATIENCE_MS } from './other-proxy.ts';
import { createOtherRig, installAuthority } from './other-rig.ts';

export const HOST = 'api.example.test';
/** What gate's DNS gave for it. */
export const ADDRESS = '198.18.0.5';

type Serve = Parameters<typeof startOrigin>[0];

export interface Suite {
  readonly gateCa: TestAuthority;
  readonly originCa: TestAuthority;
  /** Registers something to be undone after the test, last first. */
  cleanup(undo: () => Promise<void>): void;
  origin(serve: Serve, options?: OriginOptions): Promise<Origin>;
  tlsOrigin(serve: Serve): Promise<Origin>;
  /** An engine for which {@link HOST} is this origin; checked for bugs and misuse of the recorder at the end. */
  rig(target: { readonly port: number } | undefined, options?: Partial<RigOptions>): Rig;
  /** A captured TLS connection to {@link HOST}. */
  securely(made: Rig): Promise<Client>;
}

/** What every suite of the engine needs; to be called once, at the top of a test file. */
export function createSuite(): Suite {
  const gateCa = createTestAuthority('gate');
  const originCa = createTestAuthority('origin');
  const otherHome = OTHER_PROXY === undefined ? undefined : prepareOther(gateCa);
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    const failures: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse())
      await cleanup().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });

  const origin: Suite['origin'] = async (serve, options = {}) => {
    const started = await startOrigin(serve, options);
    cleanups.push(() => started.stop());
    return started;
  };

  const rig: Suite['rig'] = (target, options = {}) => {
    const rules = [80, 443, 8080].map((port) => ({
      host: HOST,
      port,
      address: '127.0.0.1',
      addressPort: target?.port ?? 1,
    }));
    const resolve = target === undefined ? [] : rules;
    const all = { gateCa, originCa, resolve, names: { [ADDRESS]: HOST }, ...options };
    if (otherHome !== undefined) {
      const other = createOtherRig(all, otherHome);
      cleanups.push(() => other.stop());
      return other;
    }
    const made = createRig(all);
    cleanups.push(async () => {
      await made.stop();
      expect(made.recorder.violations).toEqual([]);
      expect(made.bugs).toEqual([]);
    });
    return made;
  };

  return {
    gateCa,
    originCa,
    cleanup: (undo) => cleanups.push(undo),
    origin,
    tlsOrigin: (serve) => origin(serve, { tls: { authority: originCa, names: [HOST] } }),
    rig,
    securely: async (made) => (await made.captured(ADDRESS, 443)).secure({ ca: gateCa.ca, servername: HOST }),
  };
}

/** A home for the proxy that stands in gate's place, and short limits: what does not come may not hold up the suite. */
function prepareOther(authority: TestAuthority): string {
  const home = mkdtempSync(join(tmpdir(), 'gate-other-'));
  installAuthority(home, authority);
  vi.setConfig({ testTimeout: 2.5 * PATIENCE_MS, hookTimeout: 2.5 * PATIENCE_MS });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  return home;
}
