import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMasker } from '../../../src/capture/mask.ts';
import { loadMaskKey } from '../../../src/capture/mask-key.ts';
import { fingerprint, MASKED } from '../../../src/core/mask.ts';
import { KINDS } from '../../../src/detect/kinds.ts';
import { cpuMs } from '../../helpers/cpu.ts';
import { SECRETS } from '../detect/positives.ts';
import { Random } from '../detect/random.ts';
import { tempPaths } from '../store/support.ts';
import { fakeSecret } from './facts.ts';

const KEY = Buffer.alloc(32, 7);
const masker = createMasker(KEY);
const ANT = fakeSecret('sk-ant-api03-', 108);
const GH = fakeSecret('ghp_', 40);
const OPAQUE = fakeSecret('', 44);
const JWT = `${fakeSecret('eyJ', 30)}.${fakeSecret('eyJ', 60)}.${fakeSecret('', 43)}`;

/** The mask of a secret, from its rule. */
function masked(secret: string, prefix = ''): string {
  return `${prefix}…${secret.slice(-4)} (${secret.length})#${fingerprint(secret, KEY)}`;
}

const encoded = (text: string): string => encodeURIComponent(text);
const percented = (text: string): string =>
  text.replace(/./g, (each) => `%${each.charCodeAt(0).toString(16)}`);

describe('one secret', () => {
  it.each([
    [ANT, masked(ANT, 'sk-ant-')],
    [GH, masked(GH, 'ghp_')],
    [OPAQUE, masked(OPAQUE)],
    [JWT, masked(JWT, 'eyJ')],
    ['short', '… (5)'],
    ['nineteen-characters', '… (19)'],
  ])('%#', (secret, expected) => {
    expect(masker.secret(secret)).toBe(expected);
    expect(MASKED.test(masker.secret(secret))).toBe(true);
  });

  it('has a fingerprint that only this installation can make', () => {
    expect(createMasker(Buffer.alloc(32, 8)).secret(ANT)).not.toBe(masker.secret(ANT));
    expect(masker.secret(ANT)).toBe(masker.secret(ANT));
  });
});

// promise: ledger.mask
describe('headers', () => {
  it.each([
    ['Authorization', `Bearer ${ANT}`, `Bearer ${masked(ANT, 'sk-ant-')}`],
    ['authorization', OPAQUE, masked(OPAQUE)],
    ['Authorization', `Basic ${OPAQUE}`, `Basic … (44)#${fingerprint(OPAQUE, KEY)}`],
    ['Proxy-Authorization', 'Basic dTpw', 'Basic … (4)'],
    ['x-api-key', ANT, masked(ANT, 'sk-ant-')],
    ['x-goog-api-key', OPAQUE, masked(OPAQUE)],
    ['api-key', OPAQUE, masked(OPAQUE)],
    ['X-Auth-Token', OPAQUE, masked(OPAQUE)],
    ['PRIVATE-TOKEN', OPAQUE, masked(OPAQUE)],
    ['x-amz-security-token', OPAQUE, masked(OPAQUE)],
    ['Cookie', `a=1; sid=${OPAQUE}; flag`, `a=… (1); sid=${masked(OPAQUE)}; … (4)`],
    ['Set-Cookie', `sid=${OPAQUE}; Path=/; HttpOnly`, `sid=${masked(OPAQUE)}; Path=/; HttpOnly`],
    ['Set-Cookie', 'sid=; Max-Age=0', 'sid=; Max-Age=0'],
    ['X-Odd', `see ${GH} there`, `see ${masked(GH, 'ghp_')} there`],
    [
      'Location',
      `https://a.example/?access_token=${OPAQUE}`,
      `https://a.example/?access_token=${encoded(masked(OPAQUE))}`,
    ],
    [
      'Sec-WebSocket-Protocol',
      `realtime, openai-insecure-api-key.${ANT}`,
      `realtime, openai-insecure-api-key.${masked(ANT, 'sk-ant-')}`,
    ],
  ])('%s: %#', (name, value, expected) => {
    expect(masker.headers([[name, value]])).toEqual([[name, expected]]);
  });

  it.each([
    ['content-type', 'application/json'],
    ['session_id', OPAQUE],
    ['x-claude-code-session-id', OPAQUE],
    ['idempotency-key', OPAQUE],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['anthropic-ratelimit-tokens-remaining', '4000'],
    ['www-authenticate', 'Bearer realm="x"'],
    ['x-disk', `di${fakeSecret('sk-', 60)}`],
    ['etag', '"abc"'],
  ])('%s stays', (name, value) => {
    expect(masker.headers([[name, value]])).toEqual([[name, value]]);
  });

  it('keeps order, case and repeats', () => {
    const list: [string, string][] = [
      ['Accept', 'a'],
      ['accept', 'b'],
      ['X-Api-Key', ''],
    ];
    expect(masker.headers(list)).toEqual(list);
  });
});

describe('urls', () => {
  const hidden = encoded(masked(OPAQUE));
  it.each([
    [`https://h.example/p?key=${OPAQUE}&a=b`, `https://h.example/p?key=${hidden}&a=b`],
    [`https://h.example/p?a=b&API_KEY=${OPAQUE}#x`, `https://h.example/p?a=b&API_KEY=${hidden}#x`],
    [
      `https://h.example/#access_token=${OPAQUE}&state=1`,
      `https://h.example/#access_token=${hidden}&state=1`,
    ],
    [
      `https://s3.example/o?X-Amz-Signature=${OPAQUE}&X-Amz-Date=1`,
      `https://s3.example/o?X-Amz-Signature=${hidden}&X-Amz-Date=1`,
    ],
    [
      `https://s3.example/o?X-Amz-Security-Token=${OPAQUE}`,
      `https://s3.example/o?X-Amz-Security-Token=${hidden}`,
    ],
    [`https://blob.example/c?sv=1&sig=${OPAQUE}`, `https://blob.example/c?sv=1&sig=${hidden}`],
    [`https://user:${OPAQUE}@h.example/`, `https://user:${hidden}@h.example/`],
    [`https://${OPAQUE}@h.example/`, `https://${hidden}@h.example/`],
    [`/relative?token=${OPAQUE}`, `/relative?token=${hidden}`],
    [`https://h.example/bot/${GH}/send`, `https://h.example/bot/${encoded(masked(GH, 'ghp_'))}/send`],
    ['https://h.example/p?tok%65n=abc', `https://h.example/p?tok%65n=${encoded('… (3)')}`],
    // Whatever stands before the word that tells: a vendor's name, a bracket, a cursor is none.
    [`https://h.example/p?github_token=${OPAQUE}`, `https://h.example/p?github_token=${hidden}`],
    [`https://h.example/p?a[password]=${OPAQUE}`, `https://h.example/p?a[password]=${hidden}`],
    [`https://h.example/p?pageToken=${OPAQUE}`, `https://h.example/p?pageToken=${OPAQUE}`],
    [`https://h.example/a;token=${OPAQUE}/b?x=1`, `https://h.example/a;token=${hidden}/b?x=1`],
    // Percent-encoded: letter by letter, and a URL within a URL.
    [
      `https://h.example/p?q=${percented(GH)}&a=%20`,
      `https://h.example/p?q=${encoded(masked(GH, 'ghp_'))}&a=%20`,
    ],
    [
      `https://h.example/p?to=${encoded(`https://x.example/?token=${OPAQUE}`)}`,
      `https://h.example/p?to=${encoded(`https://x.example/?token=${hidden}`)}`,
    ],
    // Webhooks: what everybody knows of them stays.
    [
      `https://hooks.slack.com/services/T00000000/B00000000/${OPAQUE}`,
      `https://hooks.slack.com/services/${encoded(masked(`T00000000/B00000000/${OPAQUE}`))}`,
    ],
    [
      `https://api.telegram.org/bot123456789:AA${OPAQUE.slice(0, 33)}/sendMessage`,
      `https://api.telegram.org/bot123456789:${encoded(masked(`AA${OPAQUE.slice(0, 33)}`))}/sendMessage`,
    ],
    [
      'https://h.example/p?q=a%20b+c&token=&monkey=1#frag',
      'https://h.example/p?q=a%20b+c&token=&monkey=1#frag',
    ],
    ['https://h.example/a@b?x=%zz', 'https://h.example/a@b?x=%zz'],
  ])('%#', (url, expected) => {
    expect(masker.url(url)).toBe(expected);
    if (url.startsWith('https:')) expect(new URL(masker.url(url)).host).toBe(new URL(url).host);
  });
});

describe('shapes', () => {
  const exact = SECRETS.filter(({ kind, frame }) => {
    const known = KINDS.find((each) => each.kind === kind);
    return frame === undefined && known !== undefined && known.rank <= 1 && known.kind !== 'private_key';
  });
  it.each(exact.map(({ kind, make }, n) => [kind, make(new Random(n))]))(
    '%s is masked in any header',
    (_, value) => {
      const [[, shown] = []] = masker.headers([['X-Odd', `see ${value}`]]);
      expect(shown).toMatch(MASKED);
      expect(shown).not.toContain(value.slice(-12));
    },
  );
});

describe('argv', () => {
  it.each([
    [
      ['tool', '--api-key', OPAQUE],
      ['tool', '--api-key', masked(OPAQUE)],
    ],
    [
      ['tool', `--api-key=${OPAQUE}`],
      ['tool', `--api-key=${masked(OPAQUE)}`],
    ],
    [
      ['tool', '--github-token', 'abc', '--verbose'],
      ['tool', '--github-token', '… (3)', '--verbose'],
    ],
    [
      ['tool', '--token', '--next'],
      ['tool', '--token', '--next'],
    ],
    [
      ['curl', '-u', `me:${OPAQUE}`],
      ['curl', '-u', `me:${masked(OPAQUE)}`],
    ],
    [
      ['curl', '-H', `Authorization: Bearer ${ANT}`],
      ['curl', '-H', `Authorization: Bearer ${masked(ANT, 'sk-ant-')}`],
    ],
    [
      ['curl', `-Hx-api-key: ${OPAQUE}`],
      ['curl', `-Hx-api-key: ${masked(OPAQUE)}`],
    ],
    [
      ['curl', '-b', 'sid=123'],
      ['curl', '-b', 'sid=… (3)'],
    ],
    [
      ['env', `OPENAI_API_KEY=${OPAQUE}`, 'agent'],
      ['env', `OPENAI_API_KEY=${masked(OPAQUE)}`, 'agent'],
    ],
    [
      ['git', 'clone', `https://x:${OPAQUE}@h.example/r.git`],
      ['git', 'clone', `https://x:${encoded(masked(OPAQUE))}@h.example/r.git`],
    ],
    [
      ['sh', '-c', `TOKEN=${OPAQUE} run`],
      ['sh', '-c', `TOKEN=${masked(OPAQUE)} run`],
    ],
    [
      ['sh', '-c', `curl -H 'x-api-key: ${OPAQUE}' u`],
      ['sh', '-c', `curl -H 'x-api-key: ${masked(OPAQUE)}' u`],
    ],
    [
      ['sh', '-c', 'echo $TOKEN; A_TOKEN=$B run'],
      ['sh', '-c', 'echo $TOKEN; A_TOKEN=$B run'],
    ],
    [
      ['curl', '-d', `{"user": "me", "api_key": "${OPAQUE}"}`],
      ['curl', '-d', `{"user": "me", "api_key": "${masked(OPAQUE)}"}`],
    ],
    [
      ['agent', `use ${GH}`],
      ['agent', `use ${masked(GH, 'ghp_')}`],
    ],
    [
      ['agent', '-p', 'fix the token parser', '--model', 'm'],
      ['agent', '-p', 'fix the token parser', '--model', 'm'],
    ],
  ])('%#', (argv, expected) => {
    expect(masker.argv(argv)).toEqual(expected);
  });

  it('takes hostile text without a stall', () => {
    const took = cpuMs(() => {
      for (const part of [
        'a',
        '=',
        'token=',
        'eyJ-',
        '"',
        'cookie:',
        '--',
        'http://',
        'sk-',
        'eyJ',
        ' ',
        ':',
        'a=b;',
        '%41',
        'a%',
        '"token":"',
        ';token=',
      ]) {
        const text = part.repeat(100_000 / part.length);
        masker.argv([text]);
        masker.url(text);
        masker.headers([
          ['cookie', text],
          ['x', text],
          ['authorization', text],
        ]);
      }
    });
    expect(took).toBeLessThan(3000);
  });
});

describe('the key', () => {
  it('is made once, for its owner only, and refused when it is no key', () => {
    const paths = tempPaths();
    const key = loadMaskKey(paths);
    const file = join(paths.data, 'mask.key');
    expect(key).toHaveLength(32);
    expect(loadMaskKey(paths).equals(key)).toBe(true);
    expect(readFileSync(file).equals(key)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, 'short');
    expect(() => loadMaskKey(paths)).toThrow(expect.objectContaining({ code: 'bad_mask_key' }));
  });
});
