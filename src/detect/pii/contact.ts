import type { Kind, Place } from '../types.ts';
import { isPhoneNumber } from './phone.ts';
import { topLevelDomains } from './tlds.ts';

const TLDS = topLevelDomains();
/** Machines, not people. */
const ROBOTS =
  /^(?:git|hg|svn|(?:no|do-?not|not)[-_.]?reply|noreply\d*|mailer-daemon|postmaster|donotreply)(?:[+.-]|$)/i;
const STANDINS =
  /^(?:you|your|user|username|name|email|mail|someone|somebody|me|foo|bar|x+|your?[-_.]?\w*)@(?:[\w-]+\.)?(?:example|domain|company|yourdomain|email|mail|host|server|test)\./i;

/** Whether text before an address makes it part of a URL's authority, of `git@`-like remotes or of a path. */
function inUrl({ text, start }: Place): boolean {
  const before = text.slice(Math.max(0, start - 80), start);
  return /\/\/[^\s/@"'<>]{0,80}$/.test(before) || /[/]$/.test(before);
}

function isEmail(value: string, place: Place): boolean {
  const at = value.indexOf('@');
  const [local, domain] = [value.slice(0, at), value.slice(at + 1)];
  if (at > 64 || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return false;
  if (domain.split('.').some((label) => label.startsWith('-') || label.endsWith('-'))) return false;
  if (!TLDS.has(domain.slice(domain.lastIndexOf('.') + 1).toLowerCase())) return false;
  // one letter on both sides of the last dot is code (`a@b.c` never gets here, `x@y.no` does)
  if (/^[^.]\.[a-z]{2}$/i.test(domain) && local.length < 2) return false;
  // `pkg@host.com:path`, `name@x.sh(`: remotes and calls
  if (/^(?::[A-Za-z~/]|\(|\/)/.test(place.text.slice(place.end, place.end + 2))) return false;
  return !ROBOTS.test(local) && !STANDINS.test(value) && !inUrl(place);
}

const STREET =
  'Street|St|Avenue|Ave|Boulevard|Blvd|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Circle|Cir|Place|Pl|Square|Sq|Terrace|Ter|Trail|Trl|Parkway|Pkwy|Highway|Hwy|Way';
const STATES =
  'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|P[RW]';

/** Ways to reach a person. */
export const CONTACT: readonly Kind[] = [
  // RFC 5321 and RFC 5322, the part of it that is in use
  {
    kind: 'email',
    class: 'pii',
    rank: 1,
    anchors: ['@'],
    // of RFC 5322's atext the part in use: the rest is what text and forms put around an address
    back: { set: 'a-zA-Z0-9._+-', max: 65 },
    left: 'none',
    pattern: /[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9@_-])/,
    check: isEmail,
    show: 1,
  },
  // ITU-T E.164 with a plus
  {
    kind: 'phone',
    class: 'pii',
    rank: 2,
    runs: [{ min: 1, max: 15, before: '+' }],
    back: { set: '+', max: 1 },
    left: 'none',
    pattern: /\+[0-9](?:(?:[ .-]|[ .-]?\(|\)[ .-]?)?[0-9]){6,15}(?![0-9A-Za-z_+*/=])/,
    check: isPhoneNumber,
    show: 3,
  },
  // North America: (415) 555-0132, 415-555-0132, 415.555.0132, 1-415-555-0132; 555 stands for any area in texts
  {
    kind: 'phone',
    class: 'pii',
    rank: 2,
    runs: [
      { min: 3, max: 3, before: '(' },
      { min: 3, max: 3, after: '.) -' },
      { min: 1, max: 1, after: '-.' },
    ],
    back: { set: '(', max: 1 },
    pattern:
      /(?:1[-.])?(?:\([2-9][0-9]{2}\) ?[0-9]{3}-[0-9]{4}|(?:555-[0-9]{3}|[2-9][0-9]{2}-[2-9][0-9]{2})-[0-9]{4}|[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}|[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4})(?![0-9A-Za-z_.-][0-9A-Za-z])(?![0-9A-Za-z_])(?! [0-9])/,
    check: isPhoneNumber,
    show: 0,
  },
  // any national form, told by a name before it
  {
    kind: 'phone',
    class: 'pii',
    rank: 3,
    anchors: [
      'phone',
      'mobile',
      'tel:',
      'tel.',
      'tel ',
      'telefon',
      'handy',
      'cell',
      'fax',
      'whatsapp',
      'call me',
      'call us',
      'telef',
      'telep',
    ],
    left: 'alnum',
    pattern:
      /(?:phone|mobile|tel(?:ephone|[eé]fono|efoon|efon)?|handy|cell|fax|whatsapp|call (?:me|us))[a-z_ .-]{0,14}["']{0,2}[ \t]{0,2}(?::|=|=>|is|at|on)?[ \t]{0,2}["']?(\(?[0-9](?:[ ./()-]{0,2}[0-9]){7,13})(?![0-9A-Za-z_])/i,
    check: (value) => !/^\d{4}-\d\d-\d\d/.test(value) && !/^(\d)\1*$/.test(value.replace(/\D/g, '')),
    show: 0,
  },
  // a US address whole: number, street, town, state, ZIP
  {
    kind: 'postal_address',
    class: 'pii',
    rank: 2,
    runs: [{ min: 1, max: 6, after: ' ' }],
    left: 'token',
    pattern: new RegExp(
      `[0-9]{1,6} (?:[NSEW]\\.? )?(?:[A-Z0-9][A-Za-z0-9'.-]{0,20} ){1,4}(?:${STREET})\\.?(?:,? (?:Apt|Suite|Ste|Unit|#)\\.? ?[A-Za-z0-9-]{1,6})?,? {0,2}[\\n ]?(?:[A-Z][A-Za-z'.-]{1,20} ?){1,3}, {0,2}(?:${STATES}) {1,2}[0-9]{5}(?:-[0-9]{4})?(?![0-9])`,
    ),
    // the licence texts' own addresses of the Free Software Foundation
    check: (value) => !/^(?:59 Temple Place|51 Franklin|675 Mass)/.test(value),
    show: 0,
  },
  // a British one, told by its postcode (Royal Mail's PAF formats)
  {
    kind: 'postal_address',
    class: 'pii',
    rank: 2,
    runs: [{ min: 1, max: 4, after: ' A-Z' }],
    pattern: new RegExp(
      `[0-9]{1,4}[A-Z]? (?:[A-Z][A-Za-z'.-]{0,20} ){1,3}(?:${STREET}|Gardens|Close|Crescent|Mews|Row|Hill|Grove)[,\\n ]{1,3}(?:[A-Z][A-Za-z'.-]{1,20}[, ]{1,2}){1,4}[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}(?![0-9A-Za-z])`,
    ),
    show: 0,
  },
];
