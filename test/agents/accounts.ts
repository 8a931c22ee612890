import { randomBytes, randomUUID } from 'node:crypto';

/** A key in the form of a provider's, made for one run: no text in this repository looks like a credential. */
export function fakeKey(prefix: string): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`;
}

const DAY_S = 86_400;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by nobody: codex reads the claims and leaves the check to the service. */
function token(claims: Readonly<Record<string, unknown>>): string {
  const iat = Math.floor(Date.now() / 1000);
  return [part({ alg: 'RS256', typ: 'JWT' }), part({ iat, exp: iat + DAY_S, ...claims }), fakeKey('')].join(
    '.',
  );
}

/** The file `auth.json` of a codex that is logged in with ChatGPT, and the token in it that it will send. */
export function chatGptLogin(): { readonly file: string; readonly secret: string } {
  const account = randomUUID();
  const claims = {
    email: 'dev@example.com',
    'https://api.openai.com/auth': { chatgpt_plan_type: 'plus', chatgpt_account_id: account },
  };
  const secret = token(claims);
  const tokens = {
    id_token: token(claims),
    access_token: secret,
    refresh_token: fakeKey('rt_'),
    account_id: account,
  };
  const last_refresh = new Date().toISOString();
  return {
    file: JSON.stringify({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, last_refresh }),
    secret,
  };
}
