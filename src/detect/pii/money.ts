import { luhn, mod97 } from '../checks/checksums.ts';
import type { Kind, Place } from '../types.ts';

/** Issuer ranges with their lengths (ISO/IEC 7812; the networks' published BIN ranges). */
const BRANDS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|095|[689])/, [14, 16]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^35(?:2[89]|[3-8])/, [16]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [13, 16, 18, 19]],
];

/** Names before a bare number that say it is not a card. */
const NOT_CARD =
  /(?:\bid|_id|Id|uuid|time|stamp|\bts|nonce|seed|hash|offset|serial|order|track|version|rev|sequence|seq|span|trace|count|size|bytes|total)["'\]]{0,2}[ \t]{0,2}[:=#]?[ \t]{0,2}["']?$/;

/** In a list of numbers one in ten passes Luhn; in a list of cards all do. */
function isListed(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 160), start);
  const after = text.slice(end, end + 160);
  if (!/[0-9]{12,19}["']?[,;\s]{1,3}["']?$/.test(before) && !/^["']?[,;\s]{1,3}["']?[0-9]{12,19}/.test(after))
    return false;
  const whole = /(?<=[^0-9])[0-9]{12,19}(?=[^0-9])/g;
  return [...before.matchAll(whole), ...after.matchAll(whole)].some(([number]) => !luhn(number));
}

/** Luhn and a brand, and not one of a run of numbers: neighbours of the same shape make a list, not a card. */
function isCard(value: string, { text, start, end }: Place): boolean {
  const digits = value.replace(/\D/g, '');
  if (!BRANDS.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length)))
    return false;
  if (!luhn(digits) || new Set(digits).size < 2) return false;
  const before = text.slice(Math.max(0, start - 24), start);
  const after = text.slice(end, end + 24);
  if (/[0-9A-F]{4}[ \n-]$/.test(before) || /^[ \n-][0-9A-F]{4,5}(?![0-9A-Za-z])/.test(after)) return false;
  if (isListed(text, start, end)) return false;
  return value.length !== digits.length || !NOT_CARD.test(before);
}

const IBAN_LENGTHS =
  'AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28' +
  'IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24' +
  'SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20';

/** Length by country and mod 97 (ISO 13616; SWIFT IBAN registry). */
function isIban(value: string): boolean {
  const compact = value.replace(/[ -]/g, '').toUpperCase();
  const at = IBAN_LENGTHS.indexOf(compact.slice(0, 2));
  if (at < 0 || at % 4 !== 0 || Number(IBAN_LENGTHS.slice(at + 2, at + 4)) !== compact.length) return false;
  return mod97(compact.slice(4) + compact.slice(0, 4)) === 1;
}

/** ABA routing number (weights 3, 7, 1). */
function isRouting(value: string): boolean {
  const sum = [...value].reduce((total, digit, i) => total + Number(digit) * ([3, 7, 1][i % 3] ?? 0), 0);
  return sum % 10 === 0 && !/^0+$/.test(value);
}

/** Cards and accounts. */
export const MONEY: readonly Kind[] = [
  {
    kind: 'credit_card',
    class: 'pii',
    rank: 1,
    runs: [
      { min: 13, max: 19 },
      { min: 4, max: 4, after: ' -' },
    ],
    pattern:
      /(?:[0-9]{13,19}|[0-9]{4} [0-9]{4} [0-9]{4} [0-9]{4}|[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{4}|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5})(?![0-9A-Za-z_]|[.-][0-9A-Za-z])/,
    check: isCard,
    show: 0,
  },
  {
    kind: 'iban',
    class: 'pii',
    rank: 0,
    runs: [{ min: 2, max: 32, before: 'A-Za-z' }],
    back: { set: 'A-Za-z', max: 2 },
    pattern:
      /[A-Za-z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}|[a-z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?|(?:-[A-Z0-9]{4}){2,7}(?:-[A-Z0-9]{1,4})?)(?![A-Za-z0-9])/,
    check: isIban,
    show: 2,
  },
  {
    kind: 'us_bank_routing',
    class: 'pii',
    rank: 2,
    anchors: ['routing', 'aba'],
    left: 'alnum',
    pattern: /(?:routing|aba)[a-z_ #.()-]{0,20}["']{0,2}[ :=#]{0,4}["']?([0-9]{9})(?![0-9A-Za-z])/i,
    check: isRouting,
    show: 0,
  },
];
