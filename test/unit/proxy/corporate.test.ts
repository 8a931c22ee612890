import { describe, expect, test } from 'vitest';
import { corporateProxies } from '../../../src/proxy/corporate/environment.ts';
import { parseNoProxy } from '../../../src/proxy/corporate/no-proxy.ts';

describe('NO_PROXY', () => {
  test.each([
    ['', 'a.test', 443, false],
    ['*', 'a.test', 443, true],
    ['a.test', 'a.test', 443, true],
    ['A.Test.', 'a.test', 443, true],
    ['a.test', 'b.a.test', 443, true],
    ['a.test', 'ba.test', 443, false],
    ['a.test', 'a.test.evil', 443, false],
    ['.a.test', 'b.a.test', 443, true],
    ['.a.test', 'a.test', 443, true],
    ['*.a.test', 'c.b.a.test', 443, true],
    ['*.a.test', 'ba.test', 443, false],
    ['a.test:8443', 'a.test', 8443, true],
    ['a.test:8443', 'a.test', 443, false],
    ['x.test, a.test', 'a.test', 443, true],
    ['x.test a.test', 'a.test', 443, true],
    ['10.0.0.1', '10.0.0.1', 443, true],
    ['10.0.0.1', '10.0.0.10', 443, false],
    ['0.0.1', '10.0.0.1', 443, false],
    ['10.0.0.1:80', '10.0.0.1', 443, false],
    ['10.0.0.0/8', '10.200.0.1', 443, true],
    ['10.0.0.0/8', '11.0.0.1', 443, false],
    ['10.0.0.0/8', 'ten.test', 443, false],
    ['fd00::/8', 'fd12::1', 443, true],
    ['fd12::1', 'fd12::1', 443, true],
    ['[fd12::1]', 'fd12::1', 443, true],
    ['[fd12::1]:8443', 'fd12::1', 8443, true],
    ['[fd12::1]:8443', 'fd12::1', 443, false],
    ['a b?c', 'b?c', 443, false],
  ])("'%s' and %s port %i: %s", (text, host, port, exempt) => {
    expect(parseNoProxy(text)({ host, port })).toBe(exempt);
  });
});

describe('the proxy variables', () => {
  const at = (env: Record<string, string>, speaks: 'http' | 'https', host = 'a.test') =>
    corporateProxies(env)({ host, port: speaks === 'http' ? 80 : 443 }, speaks)?.label;

  test.each([
    ['none', {}, undefined, undefined],
    ['one for each', { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://s:2' }, 'http://p:1', 'http://s:2'],
    [
      'lower case first',
      { http_proxy: 'http://low:1', HTTP_PROXY: 'http://up:1' },
      'http://low:1',
      undefined,
    ],
    ['one for all', { ALL_PROXY: 'http://all:1' }, 'http://all:1', 'http://all:1'],
    [
      'SOCKS for all is not taken',
      { all_proxy: 'socks5://s:1', https_proxy: 'http://s:2' },
      undefined,
      'http://s:2',
    ],
    ['without a scheme', { https_proxy: 'proxy.corp:3128' }, undefined, 'http://proxy.corp:3128'],
    ['default ports', { http_proxy: 'http://p', https_proxy: 'https://s' }, 'http://p:80', 'https://s:443'],
    ['empty is unset', { http_proxy: '', HTTP_PROXY: '' }, undefined, undefined],
    ['credentials are not in the label', { https_proxy: 'http://u:pw@s:2' }, undefined, 'http://s:2'],
  ])('%s', (_, env, http, https) => {
    expect([at(env, 'http'), at(env, 'https')]).toEqual([http, https]);
  });

  test.each(['localhost', 'app.localhost', '127.0.0.1', '127.9.9.9', '::1'])(
    '%s is always direct',
    (host) => {
      expect(at({ https_proxy: 'http://s:2', http_proxy: 'http://s:2' }, 'https', host)).toBeUndefined();
    },
  );

  test.each(['socks5://u:pw@s:1', 'http://', 'ftp://s', 'http://bad host/'])(
    '%s stops the start',
    (value) => {
      expect(() => corporateProxies({ HTTPS_PROXY: value })).toThrow(/cannot use the proxy in HTTPS_PROXY/);
      expect(() => corporateProxies({ HTTPS_PROXY: value })).not.toThrow(/pw/);
    },
  );
});
