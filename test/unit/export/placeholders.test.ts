import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMasker } from '../../../src/capture/mask.ts';
import { createPlaceholders } from '../../../src/export/placeholders.ts';

const masker = createMasker(randomBytes(32));
const secret = (n: number) => `opaque-${'x'.repeat(30)}-${1000 + n}`;
const HOST = 'api.test';

/** Through the mask, as it is recorded, and on to its placeholder. */
const header = (name: string, value: string, into = createPlaceholders()) =>
  into.headers(masker.headers([[name, value]]), HOST)[0]?.[1];
const url = (text: string, into = createPlaceholders()) => into.url(masker.url(text), HOST);

test.each([
  ['authorization', `Bearer ${secret(1)}`, 'Bearer $AUTHORIZATION'],
  ['Authorization', `Basic ${Buffer.from('user:word').toString('base64')}`, 'Basic $AUTHORIZATION'],
  ['x-api-key', `sk-ant-api03-${'AbC1'.repeat(20)}`, '$X_API_KEY'],
  ['x-api-key', 'short', '$X_API_KEY'],
  ['cookie', `sid=${secret(1)}; theme=${secret(2)}`, 'sid=$COOKIE_SID; theme=$COOKIE_THEME'],
  ['set-cookie', `sid=${secret(1)}; Path=/; Secure`, 'sid=$SET_COOKIE_SID; Path=/; Secure'],
  ['referer', `https://a.test/?key=${secret(1)}&x=1`, 'https://a.test/?key=$KEY&x=1'],
  ['x-note', 'costs $5 (12) and nothing secret', 'costs $5 (12) and nothing secret'],
])('%s: %s', (name, value, expected) => {
  expect(header(name, value)).toBe(expected);
});

test.each([
  [`https://a.test/x?key=${secret(1)}`, 'https://a.test/x?key=$KEY'],
  [
    `https://a.test/x?a=1&access_token=${secret(1)}&b=2#f`,
    'https://a.test/x?a=1&access_token=$ACCESS_TOKEN&b=2#f',
  ],
  [`https://a.test/?key=ab%2Fc%20d${'e'.repeat(20)}%2F%3D%C3%A9+`, 'https://a.test/?key=$KEY'],
  [`https://user:${secret(1)}@a.test/`, 'https://user:$URL_SECRET@a.test/'],
  [`https://a.test/bot/sk-ant-${'AbC1'.repeat(20)}/send`, 'https://a.test/bot/$URL_SECRET/send'],
  ['https://a.test/plain?q=%20(12)&r=1', 'https://a.test/plain?q=%20(12)&r=1'],
])('%s', (text, expected) => {
  expect(url(text)).toBe(expected);
});

test('one credential has one name, another gets a name of its own, and both are listed', () => {
  const all = createPlaceholders();
  expect(header('authorization', `Bearer ${secret(1)}`, all)).toBe('Bearer $AUTHORIZATION');
  expect(header('authorization', `Bearer ${secret(2)}`, all)).toBe('Bearer $AUTHORIZATION_2');
  expect(header('authorization', `Bearer ${secret(1)}`, all)).toBe('Bearer $AUTHORIZATION');
  expect(url(`https://a.test/?key=${secret(3)}`, all)).toBe('https://a.test/?key=$KEY');
  expect(all.known.map(({ name, where, inUrl }) => [name, where, inUrl])).toEqual([
    ['AUTHORIZATION', 'authorization of api.test', false],
    ['AUTHORIZATION_2', 'authorization of api.test', false],
    ['KEY', 'key in a URL of api.test', true],
  ]);
  expect(all.known[0]?.masked).toMatch(/^…1001 \(42\)#[0-9a-f]{8}$/);
});
