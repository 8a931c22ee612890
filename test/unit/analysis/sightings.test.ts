import { describe, expect, test } from 'vitest';
import { createScanner } from '../../../src/analysis/decode/scan.ts';
import { createSightings } from '../../../src/analysis/sightings.ts';
import { createMasker } from '../../../src/capture/mask.ts';
import { fingerprint } from '../../../src/core/mask.ts';
import { Random } from '../detect/random.ts';

const random = new Random(11);
const OPAQUE = random.alnum(40);
const GITHUB = `${'gh'}p_${random.alnum(36)}`;

/** Kind and place of what is seen in one header. */
function seen(name: string, value: string): string[] {
  const fingerprint = () => 'f'.repeat(8);
  const sightings = createSightings({ scanner: createScanner(), fingerprint, maskKey: Buffer.alloc(32) });
  sightings.headers([[name, value]]);
  return sightings.secrets.map(({ kind, where }) => `${kind} in ${where}`);
}

describe('secrets in headers', () => {
  test.each([
    ['Authorization', `Bearer ${OPAQUE}`, ['bearer_token in request.header:authorization']],
    ['X-Session-Credential', 'short', ['credential_header in request.header:x-session-credential']],
    ['X-Note', `see ${GITHUB}`, ['github_token in request.header:x-note']],
    // Named like a credential, and none; what has a format of its own is one wherever it stands.
    ['X-CSRF-Token', OPAQUE, []],
    ['X-Next-Token', OPAQUE, []],
    ['X-CSRF-Token', GITHUB, ['github_token in request.header:x-csrf-token']],
    // For the proxy, which is gate.
    ['Proxy-Authorization', `Basic ${OPAQUE}`, []],
  ])('%s', (name, value, expected) => {
    expect(seen(name, value)).toEqual(expected);
  });

  test('a cookie has the fingerprint that its masked header has', () => {
    const key = Buffer.alloc(32, 3);
    const sightings = createSightings({
      scanner: createScanner(),
      fingerprint: (value) => fingerprint(value, key),
      maskKey: key,
    });
    const header: [string, string] = ['Cookie', `theme=dark; sid=${OPAQUE}; id=1`];
    sightings.headers([header]);
    expect(sightings.secrets).toHaveLength(1);
    const [{ masked, fingerprint: seenAs } = { masked: '', fingerprint: '' }] = sightings.secrets;
    expect(createMasker(key).headers([header])[0]?.[1]).toContain(`sid=${masked}#${seenAs}`);
  });
});
