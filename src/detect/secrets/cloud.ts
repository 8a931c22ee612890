import { insideBlob, isPlaceholder, isRandom, isTokenBody } from '../checks/text.ts';
import type { Kind } from '../types.ts';
import { named, token } from './define.ts';

const end = '(?![A-Za-z0-9_-])';
const re = (source: string) => new RegExp(source + end);
const aws40 = '[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])';

/** 40 hex digits are a git SHA, not AWS's base64. */
function isAwsSecret(value: string): boolean {
  return isTokenBody(value) && !/^[0-9a-f]+$/i.test(value);
}

/** Keys of clouds, hosting and infrastructure. Formats: each provider's reference or console. */
export const CLOUD_KEYS: readonly Kind[] = [
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
  token('aws_access_key_id', 'AKIA', /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9+/=_-])/, {
    anchors: ['akia', 'asia', 'abia', 'acca'],
    rank: 1,
    check: (value, { text, start, end: stop }) => isRandom(value.slice(4)) && !insideBlob(text, start, stop),
  }),
  named(
    'aws_secret_access_key',
    [
      'secret_access_key',
      'secretaccesskey',
      'secret-access-key',
      'aws_secret',
      'awssecret',
      'secret access key',
    ],
    '(?:aws_?secret|secret)[a-z_ -]{0,20}',
    aws40,
    { check: isAwsSecret, left: 'none' },
  ),
  // the two columns of a credentials file or a console download, side by side
  {
    kind: 'aws_secret_access_key',
    class: 'secret',
    rank: 2,
    anchors: ['akia', 'asia'],
    pattern: new RegExp(`(?:AKIA|ASIA)[A-Z0-9]{16}["',;:|\\s]{1,6}(${aws40})`),
    show: 0,
    check: isAwsSecret,
  },
  named(
    'aws_session_token',
    ['session_token', 'sessiontoken', 'security-token'],
    '[a-z-]{0,8}[_-]?token',
    '[A-Za-z0-9/+]{100,2000}={0,2}',
    { left: 'none' },
  ),
  // cloud.google.com/docs/authentication/api-keys
  token('google_api_key', 'AIza', re('AIza[A-Za-z0-9_-]{35}')),
  token('google_oauth_secret', 'GOCSPX-', re('GOCSPX-[A-Za-z0-9_-]{24,40}')),
  token('google_oauth_token', 'ya29.', /ya29\.[A-Za-z0-9_-]{24,1000}/),
  token('google_refresh_token', '1//0', /1\/\/0[A-Za-z0-9_-]{30,200}/),
  named('google_service_account_key_id', ['private_key_id'], 'private_key_id', '[0-9a-f]{40}(?![0-9a-f])'),
  // learn.microsoft.com/azure/storage/common/storage-account-keys-manage
  named('azure_storage_key', ['accountkey'], 'AccountKey', '[A-Za-z0-9+/]{86}=='),
  named('azure_shared_access_key', ['sharedaccesskey'], 'SharedAccessKey', '[A-Za-z0-9+/]{43}='),
  token('azure_sas_signature', 'sig=', /sig=([A-Za-z0-9+/%]{43,70}(?:=|%3D))/i, {
    show: 0,
    check: (value, { text, start }) =>
      isTokenBody(value) && /[?&]s[vper]=/.test(text.slice(Math.max(0, start - 500), start + 500)),
  }),
  // Entra ID client secrets: three characters, a digit, Q~
  {
    ...token(
      'azure_client_secret',
      'Q~',
      /[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/,
      {
        anchors: ['q~'],
        back: { set: 'a-zA-Z0-9_~.', max: 4 },
        show: 0,
        check: isTokenBody,
      },
    ),
  },
  // learn.microsoft.com/purview/sit-defn-azure-openai-api-key: 84 characters with a fixed JQQJ99 in the middle
  token('azure_openai_key', 'JQQJ99', re('[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{10}[A-Za-z0-9]{4,20}'), {
    back: { set: 'a-zA-Z0-9', max: 52 },
    show: 0,
  }),
  token('digitalocean_token', 'dop_v1_', re('do[opr]_v1_[a-f0-9]{64}'), {
    anchors: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
  }),
  token('cloudflare_origin_ca_key', 'v1.0-', re('v1\\.0-[0-9a-f]{24}-[0-9a-f]{146}')),
  named(
    'cloudflare_api_token',
    ['cloudflare', 'cf_api'],
    '(?:cloudflare|cf_api)[a-z_ -]{0,30}',
    '(?:[A-Za-z0-9_-]{40}|[0-9a-f]{37})(?![A-Za-z0-9_-])',
  ),
  token('heroku_api_key', 'HRKU-', re('HRKU-[A-Za-z0-9_-]{36,70}')),
  named('heroku_api_key', ['heroku'], 'heroku[a-z_ -]{0,20}', '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'),
  token('doppler_token', 'dp.pt.', /dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{36,80}/, {
    anchors: ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'],
  }),
  // developer.hashicorp.com/vault/docs/concepts/tokens
  token('vault_token', 'hvs.', /hv[sbr]\.[A-Za-z0-9_-]{24,300}/, { anchors: ['hvs.', 'hvb.', 'hvr.'] }),
  token('terraform_token', '.atlasv1.', re('[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{60,80}'), {
    back: { set: 'a-zA-Z0-9', max: 14 },
    show: 0,
  }),
  token('databricks_token', 'dapi', re('dapi[a-f0-9]{32}(?:-[0-9])?')),
  token('tailscale_key', 'tskey-', /tskey-[a-z]{2,12}-[A-Za-z0-9]{8,20}(?:-[A-Za-z0-9]{16,40})?/),
  token('pulumi_token', 'pul-', re('pul-[a-f0-9]{40}')),
  token('planetscale_token', 'pscale_', re('pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}')),
  token('supabase_token', 'sbp_', re('sbp_[a-f0-9]{40}')),
  token('supabase_secret_key', 'sb_secret_', re('sb_secret_[A-Za-z0-9_-]{20,60}')),
  token('netlify_token', 'nfp_', re('nfp_[A-Za-z0-9]{36,40}')),
  token('fly_token', 'fm2_', /f(?:m[12]|o1)_[A-Za-z0-9+/=_-]{40,1000}/, {
    anchors: ['fm2_', 'fm1_', 'fo1_'],
  }),
  token('render_api_key', 'rnd_', re('rnd_[A-Za-z0-9]{26,40}')),
  token('neon_api_key', 'napi_', re('napi_[a-z0-9]{60,80}')),
  token('alibaba_access_key', 'LTAI', re('LTAI[A-Za-z0-9]{16,24}'), {
    check: (v) => isTokenBody(v.slice(4)),
  }),
  token('dynatrace_token', 'dt0c01.', /dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}/, {
    anchors: ['dt0c01.', 'dt0s01.', 'dt0s16.'],
  }),
  token('age_secret_key', 'AGE-SECRET-KEY-1', /AGE-SECRET-KEY-1[A-Z0-9]{50,62}/, {
    check: (value) => !isPlaceholder(value),
    show: 14,
  }),
];
