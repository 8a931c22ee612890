import type { Random } from './random.ts';

/** A value that must be found, made at run time: the repository holds no token, not even a false one. */
export interface Positive {
  readonly class: 'secret' | 'pii';
  readonly kind: string;
  /** Around the value, for kinds that a name tells; `%` is where the value goes. */
  readonly frame?: string;
  readonly make: (r: Random) => string;
}

const secret = (kind: string, make: Positive['make'], frame?: string): Positive => ({
  class: 'secret',
  kind,
  make,
  ...(frame === undefined ? {} : { frame }),
});

const jwtPart = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Prefixes are joined from pieces, so that other scanners leave this file alone. */
const join = (...parts: string[]) => parts.join('');

export const SECRETS: readonly Positive[] = [
  secret('anthropic_api_key', (r) => join('sk-', 'ant-api03-', r.url(93), 'AA')),
  secret('anthropic_api_key', (r) => join('sk-', 'ant-oat01-', r.url(93), 'AA')),
  secret('anthropic_api_key', (r) => join('sk-', 'ant-admin01-', r.url(93), 'AA')),
  secret('openai_api_key', (r) => join('sk-', r.alnum(20), 'T3Blbk', 'FJ', r.alnum(20))),
  secret('openai_api_key', (r) => join('sk-', 'proj-', r.url(74), 'T3Blbk', 'FJ', r.url(74))),
  secret('openai_api_key', (r) => join('sk-', 'svcacct-', r.url(74), 'T3Blbk', 'FJ', r.url(74))),
  secret('openai_api_key', (r) => join('sk-', r.hex(32))),
  secret('openrouter_api_key', (r) => join('sk-', 'or-v1-', r.hex(64))),
  secret('github_token', (r) => join('ghp', '_', r.alnum(36))),
  secret('github_token', (r) => join('gho', '_', r.alnum(36))),
  secret('github_token', (r) => join('ghs', '_', r.alnum(36))),
  secret('github_token', (r) =>
    join(
      'ghs',
      '_',
      r.digits(7),
      '_',
      jwtPart({ alg: 'RS256', typ: 'JWT' }),
      '.',
      jwtPart({ iss: r.alnum(60) }),
      '.',
      r.url(342),
    ),
  ),
  secret('github_token', (r) => join('github', '_pat_', r.alnum(22), '_', r.alnum(59))),
  secret('gitlab_token', (r) => join('glpat', '-', r.url(20))),
  secret('gitlab_token', (r) =>
    join('glpat', '-', r.url(27), '.01.', r.text(9, '0123456789abcdefghijklmnopqrstuvwxyz')),
  ),
  secret('aws_access_key_id', (r) => join('AK', 'IA', r.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))),
  secret('aws_access_key_id', (r) => join('AS', 'IA', r.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))),
  secret('aws_secret_access_key', (r) => r.base64(40), 'aws_secret_access_key = %'),
  secret('aws_secret_access_key', (r) => r.base64(40), 'AWS_SECRET_ACCESS_KEY=%'),
  secret('google_api_key', (r) => join('AI', 'za', r.url(35))),
  secret('google_oauth_token', (r) => join('ya', '29.', r.url(120))),
  secret('google_oauth_secret', (r) => join('GOC', 'SPX-', r.url(28))),
  secret(
    'azure_storage_key',
    (r) => join(r.base64(86), '=='),
    'AccountName=acct;AccountKey=%;EndpointSuffix=core.windows.net',
  ),
  secret('azure_client_secret', (r) => join(r.alnum(3), '8', 'Q', '~', r.alnum(34))),
  secret('slack_token', (r) => join('xo', 'xb-', r.digits(12), '-', r.digits(13), '-', r.alnum(24))),
  secret('slack_token', (r) => join('xa', 'pp-1-A', r.digits(10), '-', r.digits(13), '-', r.hex(64))),
  secret(
    'slack_webhook',
    (r) => join('hooks.sl', 'ack.com/services/T', r.digits(10), '/B', r.digits(10), '/', r.alnum(24)),
    'https://%',
  ),
  secret('stripe_secret_key', (r) => join('sk', '_live_', r.alnum(24))),
  secret('stripe_secret_key', (r) => join('rk', '_live_', r.alnum(99))),
  secret('stripe_webhook_secret', (r) => join('wh', 'sec_', r.alnum(32))),
  secret('twilio_api_key', (r) => join('S', 'K', r.hex(32))),
  secret('sendgrid_key', (r) => join('S', 'G.', r.url(22), '.', r.url(43))),
  secret('mailgun_key', (r) => join('key', '-', r.hex(32))),
  secret('npm_token', (r) => join('np', 'm_', r.alnum(36))),
  secret('pypi_token', (r) => join('py', 'pi-AgEIcHlwaS5vcmc', r.url(150))),
  secret('huggingface_token', (r) =>
    join('h', 'f_', r.text(34, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')),
  ),
  secret('groq_api_key', (r) => join('gs', 'k_', r.alnum(52))),
  secret('xai_api_key', (r) => join('xa', 'i-', r.alnum(80))),
  secret('replicate_api_token', (r) => join('r', '8_', r.alnum(37))),
  secret('perplexity_api_key', (r) => join('pp', 'lx-', r.alnum(48))),
  secret('digitalocean_token', (r) => join('do', 'p_v1_', r.hex(64))),
  secret('doppler_token', (r) => join('dp', '.pt.', r.alnum(43))),
  secret('vault_token', (r) => join('hv', 's.', r.url(95))),
  secret('databricks_token', (r) => join('da', 'pi', r.hex(32))),
  secret('linear_key', (r) => join('lin', '_api_', r.alnum(40))),
  secret('notion_token', (r) => join('nt', 'n_', r.alnum(46))),
  secret('shopify_token', (r) => join('shp', 'at_', r.hex(32))),
  secret('square_token', (r) => join('sq', '0atp-', r.url(22))),
  secret('telegram_bot_token', (r) => join('7', r.digits(9), ':A', 'A', r.url(33))),
  secret('discord_bot_token', (r) => join('M', 'T', r.alnum(24), '.', r.alnum(6), '.', r.url(38))),
  secret(
    'discord_webhook',
    (r) => join('disc', 'ord.com/api/webhooks/1', r.digits(17), '/', r.url(68)),
    'https://%',
  ),
  secret('datadog_key', (r) => r.hex(32), 'DD_API_KEY=%'),
  secret('cloudflare_api_token', (r) => r.url(40), 'CLOUDFLARE_API_TOKEN=%'),
  secret('heroku_api_key', (r) => r.uuid(), 'HEROKU_API_KEY=%'),
  secret('newrelic_key', (r) => join('NR', 'AK-', r.text(27, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'))),
  secret('grafana_token', (r) => join('gl', 'sa_', r.alnum(32), '_', r.hex(8))),
  secret('sentry_token', (r) => join('sn', 'tryu_', r.hex(64))),
  secret('tailscale_key', (r) => join('ts', 'key-auth-', r.alnum(12), '-', r.alnum(32))),
  secret('age_secret_key', (r) =>
    join('AGE-SEC', 'RET-KEY-1', r.text(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')),
  ),
  secret('docker_token', (r) => join('dc', 'kr_pat_', r.url(27))),
  secret('jwt', (r) =>
    join(
      jwtPart({ alg: 'HS256', typ: 'JWT' }),
      '.',
      jwtPart({ sub: r.digits(10), jti: r.alnum(12) }),
      '.',
      r.url(43),
    ),
  ),
  secret('private_key', (r) => {
    const lines = Array.from({ length: 12 }, () => r.base64(64)).join('\n');
    return `-----BEGIN ${'RSA '}PRIV${'ATE KEY'}-----\n${lines}\n-----END ${'RSA '}PRIV${'ATE KEY'}-----`;
  }),
  secret('private_key', (r) => {
    const lines = Array.from({ length: 5 }, () => r.base64(70)).join('\n');
    return `-----BEGIN ${'OPENSSH '}PRIV${'ATE KEY'}-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n${lines}\n-----END ${'OPENSSH '}PRIV${'ATE KEY'}-----`;
  }),
  secret('url_credentials', (r) => `postgres://app:${r.alnum(16)}@db.internal:5432`, '%/orders'),
  secret('url_credentials', (r) => `https://deploy:${r.alnum(20)}@git.corp.io`, '%/team/app.git'),
  secret('url_credentials', (r) => `mongodb+srv://svc:${r.alnum(12)}@cluster0.ab1cd.mongodb.net`),
  secret('basic_auth', (r) => Buffer.from(`svc:${r.alnum(14)}`).toString('base64'), 'Authorization: Basic %'),
  secret('bearer_token', (r) => r.alnum(40), 'Authorization: Bearer %'),
  secret('generic_api_key', (r) => r.alnum(32), 'ACME_API_KEY=%'),
  secret('generic_api_key', (r) => r.hex(40), 'internal_token: "%"'),
  secret('password', (r) => `${r.alnum(9)}!${r.digits(2)}`, 'DB_PASSWORD=%'),
  secret('password', (r) => `Kx${r.alnum(8)}7#`, 'password: "%"'),
];

function luhnDigit(body: string): string {
  const sum = [...body].reverse().reduce((total, char, i) => {
    const value = Number(char) * (i % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}

function card(r: Random, prefix: string, length: number): string {
  const body = prefix + r.digits(length - 1 - prefix.length);
  return body + luhnDigit(body);
}

function iban(r: Random, country: string, length: number): string {
  const account = r.digits(length - 4);
  const numeric = [...`${account}${country}00`].map((c) => Number.parseInt(c, 36)).join('');
  return `${country}${String(98n - (BigInt(numeric) % 97n)).padStart(2, '0')}${account}`;
}

/** Digits whose weighted sum meets a test, by trying. */
function until(make: () => string, test: (value: string) => boolean): string {
  for (;;) {
    const value = make();
    if (test(value)) return value;
  }
}

const sum = (value: string, weights: readonly number[]) =>
  weights.reduce((total, weight, i) => total + weight * Number(value.charAt(i)), 0);

const pii = (kind: string, make: Positive['make'], frame?: string): Positive => ({
  class: 'pii',
  kind,
  make,
  ...(frame === undefined ? {} : { frame }),
});

export const PERSONAL: readonly Positive[] = [
  pii(
    'email',
    (r) =>
      `${r.pick(['jane.doe', 'p.meyer+news', 'li_wei', 'o.s99'])}@${r.pick(['gmail.com', 'acme.co.uk', 'uni-koeln.de', 'mail.example.org'])}`,
  ),
  pii('phone', (r) => `+1 ${r.pick(['415', '212', '503'])}-${2 + r.below(7)}${r.digits(2)}-${r.digits(4)}`),
  pii('phone', (r) => `(${r.pick(['415', '212', '503'])}) ${2 + r.below(7)}${r.digits(2)}-${r.digits(4)}`),
  pii('phone', (r) => `${r.pick(['415', '212', '503'])}-${2 + r.below(7)}${r.digits(2)}-${r.digits(4)}`),
  pii('phone', (r) => `+44 20 7946 0${r.digits(3)}`),
  pii('phone', (r) => `+49 151 2${r.digits(7)}`),
  pii('phone', (r) => `+3161234${r.digits(4)}`),
  pii(
    'phone',
    (r) => `06 ${1 + r.below(8)}${r.digits(1)} ${r.digits(2)} ${r.digits(2)} ${1 + r.below(8)}${r.digits(1)}`,
    'phone: %',
  ),
  pii('credit_card', (r) => card(r, '4', 16)),
  pii('credit_card', (r) => card(r, '4', 16).replace(/(.{4})(?=.)/g, '$1 ')),
  pii('credit_card', (r) => card(r, '53', 16).replace(/(.{4})(?=.)/g, '$1-')),
  pii('credit_card', (r) => card(r, '37', 15).replace(/^(.{4})(.{6})/, '$1 $2 ')),
  pii('iban', (r) => iban(r, 'DE', 22)),
  pii('iban', (r) => iban(r, 'DE', 22).replace(/(.{4})(?=.)/g, '$1 ')),
  pii('iban', (r) => iban(r, 'FR', 27)),
  pii(
    'us_ssn',
    (r) =>
      `${1 + r.below(5)}${r.pick(['23', '45'])}-${1 + r.below(8)}${1 + r.below(8)}-${1 + r.below(8)}${r.digits(3)}`,
  ),
  pii('us_ssn', (r) => `${1 + r.below(5)}231${1 + r.below(8)}${1 + r.below(8)}${r.digits(3)}`, 'SSN: %'),
  pii('es_dni', (r) => {
    const number = `${1 + r.below(8)}${r.digits(7)}`;
    return number + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(number) % 23);
  }),
  pii('uk_nino', (r) => `AB${r.digits(6)}C`),
  pii(
    'nl_bsn',
    (r) =>
      until(
        () => `1${r.digits(8)}`,
        (v) => sum(v, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
      ),
    'BSN: %',
  ),
  pii(
    'pl_pesel',
    (r) =>
      until(
        () => `8${r.digits(10)}`,
        (v) => sum(v, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
      ),
    'PESEL %',
  ),
  pii(
    'ca_sin',
    (r) => {
      const body = `4${r.digits(7)}`;
      return (body + luhnDigit(body)).replace(/(.{3})(?=.)/g, '$1 ');
    },
    'SIN: %',
  ),
  pii('br_cpf', (r) => {
    const check = (digits: string) => {
      const total = [...digits].reduce((all, c, i) => all + Number(c) * (digits.length + 1 - i), 0);
      return String(((total * 10) % 11) % 10);
    };
    const body = `3${r.digits(8)}`;
    const ten = body + check(body);
    return (ten + check(ten)).replace(/^(...)(...)(...)(..)$/, '$1.$2.$3-$4');
  }),
  pii(
    'date_of_birth',
    (r) => `19${5 + r.below(5)}${r.below(10)}-0${1 + r.below(9)}-1${r.below(10)}`,
    'date of birth: %',
  ),
  pii(
    'ip_address',
    (r) => `8${1 + r.below(9)}.${r.below(250)}.${r.below(250)}.${1 + r.below(250)}`,
    'client ip address: %',
  ),
  pii('passport_number', (r) => `C0${r.digits(7)}`, 'Passport No: %'),
  pii(
    'postal_address',
    (r) =>
      `${100 + r.below(900)} ${r.pick(['Maple', 'Oak Hill', 'Lincoln'])} ${r.pick(['Street', 'Ave', 'Rd'])}, Springfield, IL 62${r.digits(3)}`,
  ),
];
