import { insideBlob, isRandom, isTokenBody } from '../checks/text.ts';
import { isGithubToken } from '../checks/tokens.ts';
import type { Kind } from '../types.ts';
import { named, token } from './define.ts';

const end = '(?![A-Za-z0-9_-])';
const re = (source: string) => new RegExp(source + end);
const hex32 = '[0-9a-f]{32}(?![0-9a-f])';

/** Keys of code forges, registries, chat, payment, mail and monitoring. Formats: each service's reference. */
export const SERVICE_KEYS: readonly Kind[] = [
  // docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
  token('github_token', 'ghp_', /gh[pour]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9_])/, {
    anchors: ['ghp_', 'gho_', 'ghu_', 'ghr_'],
    check: isGithubToken,
    rank: 0,
  }),
  // installation tokens may be long and stateless: an app id and a JWT
  token('github_token', 'ghs_', /ghs_[A-Za-z0-9](?:[A-Za-z0-9._-]{34,1200})[A-Za-z0-9_-]/, {
    check: isGithubToken,
    rank: 0,
  }),
  token('github_token', 'github_pat_', /github_pat_[A-Za-z0-9_]{36,255}/, { left: 'alnum', rank: 0 }),
  // docs.gitlab.com/security/tokens/#token-prefixes; routable tokens have a dot, a version and a checksum
  token(
    'gitlab_token',
    'glpat-',
    /gl(?:pat|dt|rtr?|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-(?:[A-Za-z0-9_-]{18,300})(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?/,
    {
      anchors: [
        'glpat-',
        'gldt-',
        'glrt-',
        'glrtr-',
        'glcbt-',
        'glptt-',
        'glft-',
        'glimt-',
        'glagent-',
        'gloas-',
        'glsoat-',
        'glffct-',
        'glwt-',
      ],
      rank: 0,
    },
  ),
  token('gitlab_runner_token', 'GR1348941', re('GR1348941[A-Za-z0-9_-]{20}')),
  token('bitbucket_token', 'ATBB', re('ATBB[A-Za-z0-9]{28,40}'), { check: (v) => isTokenBody(v.slice(4)) }),
  token('atlassian_token', 'ATATT3', /AT[AC]TT3[A-Za-z0-9_=-]{100,250}/, { anchors: ['atatt3', 'atctt3'] }),
  token('sourcegraph_token', 'sgp_', re('sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}')),
  token('npm_token', 'npm_', re('npm_[A-Za-z0-9]{36}')),
  named('npm_token', ['_authtoken'], '_authToken', '[A-Za-z0-9_/+-]{20,200}={0,2}', { left: 'none' }),
  // pypi.org: a macaroon whose first bytes are the site's name
  token('pypi_token', 'pypi-', /pypi-[A-Za-z0-9_-]{50,1000}/),
  token('rubygems_key', 'rubygems_', re('rubygems_[a-f0-9]{48}')),
  token('crates_token', 'cio', re('cio[A-Za-z0-9]{32}')),
  token('nuget_key', 'oy2', re('oy2[a-z0-9]{43}')),
  token('docker_token', 'dckr_pat_', re('dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}'), {
    anchors: ['dckr_pat_', 'dckr_oat_'],
  }),
  token('artifactory_key', 'AKCp', re('AKCp[A-Za-z0-9]{60,75}')),
  token('buildkite_token', 'bkua_', re('bkua_[a-f0-9]{40}')),
  token('circleci_token', 'CCIPAT_', re('CCI(?:PAT|PRJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}'), {
    anchors: ['ccipat_', 'cciprj_'],
  }),
  token('postman_key', 'PMAK-', re('PMAK-[a-f0-9]{24}-[a-f0-9]{34}')),
  token('linear_key', 'lin_api_', re('lin_(?:api|oauth)_[A-Za-z0-9]{32,64}'), {
    anchors: ['lin_api_', 'lin_oauth_'],
  }),
  token('notion_token', 'ntn_', re('ntn_[A-Za-z0-9]{40,50}')),
  token('notion_token', 'secret_', re('secret_[A-Za-z0-9]{43}')),
  token('figma_token', 'figd_', re('fig[dor]_[A-Za-z0-9_-]{38,60}'), {
    anchors: ['figd_', 'figo_', 'figr_'],
  }),
  {
    ...token('airtable_token', 'pat', re('pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}')),
  },
  // api.slack.com/concepts/token-types
  token('slack_token', 'xoxb-', /xox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{16,250}/, {
    anchors: ['xoxa-', 'xoxb-', 'xoxc-', 'xoxd-', 'xoxe-', 'xoxe.xox', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-'],
    rank: 0,
  }),
  token('slack_token', 'xapp-', /xapp-[0-9]-[A-Z0-9]{5,16}-[0-9]{5,18}-[a-f0-9]{40,80}/),
  token(
    'slack_webhook',
    'hooks.slack.com/',
    /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9/_-]{30,120}/,
    { rank: 0, left: 'none' },
  ),
  token(
    'discord_webhook',
    'discord',
    /discord(?:app)?\.com\/api\/(?:v[0-9]{1,2}\/)?webhooks\/[0-9]{16,20}\/[A-Za-z0-9_-]{50,90}/,
    {
      anchors: ['discord.com/api/', 'discordapp.com/api/'],
      left: 'none',
      rank: 0,
    },
  ),
  // a snowflake in base64, a timestamp, an HMAC (discord.com/developers/docs/reference#authentication)
  token('discord_bot_token', '', re('[MNO][A-Za-z0-9]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27,45}'), {
    anchors: ['mt', 'mj', 'mz', 'nd', 'nt', 'nj', 'nz', 'od', 'ot'],
    check: isTokenBody,
  }),
  // core.telegram.org/bots/api#authorizing-your-bot
  token('telegram_bot_token', '', /[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])/, {
    anchors: [':aa'],
    back: { set: '0-9', max: 10 },
    left: 'none',
    check: isTokenBody,
  }),
  // docs.stripe.com/keys
  token('stripe_secret_key', 'sk_live_', /[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,250}/, {
    anchors: ['sk_live_', 'sk_test_', 'sk_prod_', 'rk_live_', 'rk_test_', 'rk_prod_'],
    rank: 0,
  }),
  token('stripe_webhook_secret', 'whsec_', /whsec_[A-Za-z0-9+/]{24,80}={0,2}/),
  token('square_token', 'sq0', re('sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}')),
  token('square_token', 'EAAA', re('EAAA[A-Za-z0-9_-]{60}')),
  token('shopify_token', 'shpat_', re('shp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}'), {
    anchors: ['shpat_', 'shpca_', 'shppa_', 'shpss_', 'shpua_'],
  }),
  token(
    'plaid_token',
    'access-',
    re('access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'),
  ),
  token('flutterwave_key', 'FLWSECK', /FLWSECK(?:_TEST)?-[a-zA-Z0-9]{12,40}(?:-X)?/),
  // twilio.com/docs/iam/api-keys
  token('twilio_api_key', 'SK', re('SK[0-9a-f]{32}'), {
    anchors: [
      'sk0',
      'sk1',
      'sk2',
      'sk3',
      'sk4',
      'sk5',
      'sk6',
      'sk7',
      'sk8',
      'sk9',
      'ska',
      'skb',
      'skc',
      'skd',
      'ske',
      'skf',
    ],
  }),
  named('twilio_auth_token', ['twilio'], 'twilio[a-z_ -]{0,20}(?:token|secret)', hex32),
  token('sendgrid_key', 'SG.', /SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}/),
  token('mailgun_key', 'key-', re('key-[0-9a-f]{32}')),
  token('mailchimp_key', '-us', /[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])/, {
    back: { set: '0-9a-f', max: 32 },
    show: 0,
  }),
  token('brevo_key', 'xkeysib-', /xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}/),
  token('resend_key', 're_', re('re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,28}')),
  named(
    'datadog_key',
    ['datadog', 'dd_api', 'dd-api', 'dd_app', 'dd-app'],
    '(?:datadog|dd)[a-z_ -]{0,30}',
    '(?:[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])',
  ),
  token('sentry_token', 'sntrys_', /sntry[su]_[A-Za-z0-9+/=_-]{40,400}/, { anchors: ['sntrys_', 'sntryu_'] }),
  token('newrelic_key', 'NRAK-', re('NR(?:AK|RA|SP|JS|BR|II|IQ)-[A-Za-z0-9]{20,32}'), {
    anchors: ['nrak-', 'nrra-', 'nrsp-', 'nrjs-', 'nrii-', 'nriq-'],
  }),
  token('newrelic_license_key', 'NRAL', re('[0-9a-f]{36}NRAL'), {
    back: { set: '0-9a-f', max: 36 },
    show: 0,
  }),
  token('grafana_token', 'glsa_', re('glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}')),
  token('grafana_token', 'glc_', /glc_[A-Za-z0-9+/]{32,400}={0,2}/),
  token('posthog_key', 'phx_', re('ph[xs]_[A-Za-z0-9]{40,60}'), { anchors: ['phx_', 'phs_'] }),
  token('contentful_token', 'CFPAT-', re('CFPAT-[A-Za-z0-9_-]{40,50}')),
  token('typeform_token', 'tfp_', re('tfp_[A-Za-z0-9_.-]{40,70}')),
  token('dropbox_token', 'sl.', /sl\.(?:u\.)?[A-Za-z0-9_-]{100,1200}/),
  token('facebook_token', 'EAA', re('EAA[A-Za-z0-9]{90,300}'), {
    check: (value, { text, start, end: stop }) => isRandom(value) && !insideBlob(text, start, stop),
  }),
  token('twitter_bearer_token', 'AAAAAAAAAAAAAAAAAAAAA', /A{21,24}[A-Za-z0-9%]{50,120}/, {
    check: (v) => /%/.test(v),
  }),
  token('launchdarkly_key', 'api-', re('(?:api|sdk)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'), {
    anchors: ['api-', 'sdk-'],
  }),
  token('mapbox_secret_token', 'sk.eyJ', /sk\.eyJ[A-Za-z0-9_-]{20,300}\.[A-Za-z0-9_-]{20,40}/),
  token('onepassword_token', 'ops_eyJ', /ops_eyJ[A-Za-z0-9_-]{200,1500}/),
  token('inngest_signing_key', 'signkey-', re('signkey-[a-z]{3,10}-[0-9a-f]{64}')),
  token('adafruit_key', 'aio_', re('aio_[A-Za-z0-9]{28}')),
  token('clojars_token', 'CLOJARS_', re('CLOJARS_[a-z0-9]{60}')),
];
