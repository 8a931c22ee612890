import { digitsOf, luhn, mod11of10, verhoeff, weighted } from '../checks/checksums.ts';
import type { Kind, Place } from '../types.ts';
import { inContext } from './context.ts';

/** Social Security numbers: no 000, 666 or 9xx area, no zero group or serial (ssa.gov/employer/randomization.html). */
function isSsn(value: string): boolean {
  const d = value.replace(/\D/g, '');
  if (/^(?:000|666|9)/.test(d) || d.slice(3, 5) === '00' || d.slice(5) === '0000') return false;
  // printed on wallets and in advertisements, withdrawn
  return d !== '078051120' && d !== '219099999' && !/^(\d)\1*$/.test(d);
}

function isBsn(value: string): boolean {
  const d = digitsOf(value);
  return d.length === 9 && new Set(d).size > 1 && weighted(d, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
function isDni(value: string): boolean {
  const compact = value.replace(/[ -]/g, '').toUpperCase();
  const number = compact.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2');
  return DNI_LETTERS[Number(number) % 23] === compact.at(-1) && Number(number) > 0;
}

function isCpf(value: string): boolean {
  const d = digitsOf(value);
  if (d.length !== 11 || new Set(d).size === 1) return false;
  const check = (count: number) => {
    const sum = d.slice(0, count).reduce((total, digit, i) => total + digit * (count + 1 - i), 0);
    return ((sum * 10) % 11) % 10;
  };
  return check(9) === d[9] && check(10) === d[10];
}

function isPesel(value: string): boolean {
  const d = digitsOf(value);
  return d.length === 11 && new Set(d).size > 1 && weighted(d, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** Of the first ten digits one is there twice or three times, and none four times (Bundeszentralamt für Steuern). */
function isSteuerId(value: string): boolean {
  const d = digitsOf(value);
  return (
    d.length === 11 &&
    d[0] !== 0 &&
    new Set(d.slice(0, 10)).size <= 9 &&
    new Set(d).size > 3 &&
    mod11of10(value)
  );
}

/** NIR: 97 minus the number mod 97; Corsica's 2A and 2B count as 19 and 18. */
function isNir(value: string): boolean {
  const compact = value.replace(/[ .-]/g, '').toUpperCase();
  if (!/^[1278]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{6}\d{2}$/.test(compact)) return false;
  const number = Number(compact.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return 97 - (number % 97) === Number(compact.slice(13));
}

function isNhs(value: string): boolean {
  const d = digitsOf(value);
  const check = 11 - (weighted(d, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
  return d.length === 10 && new Set(d).size > 1 && check % 11 === d[9];
}

function isSin(value: string): boolean {
  return luhn(value) && !value.startsWith('8') && new Set(digitsOf(value)).size > 2;
}

const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
/** Codice fiscale (DM 23/12/1976): odd and even positions weigh differently; the rest mod 26 is the last letter. */
function isCodiceFiscale(value: string): boolean {
  const text = value.toUpperCase();
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = text.charCodeAt(i);
    const ordinal = code <= 57 ? code - 48 : code - 65;
    sum += i % 2 === 0 ? (ODD[ordinal] ?? 0) : ordinal;
  }
  return text.charCodeAt(15) - 65 === sum % 26;
}

function isPersonnummer(value: string): boolean {
  return luhn(value.replace(/\D/g, '').slice(-10));
}

function isTfn(value: string): boolean {
  return weighted(digitsOf(value), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;
}

/** The two prefixes and the pairs that HMRC never issues. */
function isNino(value: string): boolean {
  return !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(value);
}

/** Dashed triples also stand in part numbers and logs: longer chains of digits and dashes are not numbers of people. */
function standsAlone({ text, start, end }: Place): boolean {
  return (
    !/[0-9A-Za-z][-./]$/.test(text.slice(Math.max(0, start - 2), start)) &&
    !/^[-./][0-9A-Za-z]/.test(text.slice(end, end + 2))
  );
}

const g = '[ .-]?';
const end = '(?![0-9A-Za-z_])';

/** National identity and tax numbers; where the form is no more than digits, only with a name before it. */
export const IDENTITY: readonly Kind[] = [
  {
    kind: 'us_ssn',
    class: 'pii',
    rank: 1,
    runs: [{ min: 3, max: 3, after: '-' }],
    pattern: /[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}(?![0-9A-Za-z_])/,
    check: (value, place) => isSsn(value) && standsAlone(place),
    show: 0,
  },
  inContext(
    'us_ssn',
    ['ssn', 'social security'],
    '(?:ssn|social security)',
    `[0-8][0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{4}${end}`,
    isSsn,
  ),
  inContext('us_itin', ['itin'], 'itin', `9[0-9]{2}[ -]?[5-9][0-9][ -]?[0-9]{4}${end}`),
  {
    kind: 'es_dni',
    class: 'pii',
    rank: 1,
    runs: [
      { min: 8, max: 8, after: 'A-Z-' },
      { min: 7, max: 7, before: 'XYZ', after: 'A-Z-' },
    ],
    back: { set: 'XYZ', max: 1 },
    pattern: /(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-HJ-NP-TV-Z](?![0-9A-Za-z_])/,
    check: isDni,
    show: 0,
  },
  {
    kind: 'br_cpf',
    class: 'pii',
    rank: 1,
    runs: [{ min: 3, max: 3, after: '.' }],
    pattern: /[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![0-9A-Za-z_])/,
    check: isCpf,
    show: 0,
  },
  inContext('br_cpf', ['cpf'], 'cpf', `[0-9]{11}${end}`, isCpf),
  {
    // gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
    kind: 'uk_nino',
    class: 'pii',
    rank: 1,
    runs: [
      { min: 6, max: 6, before: 'A-Z', after: 'A-D' },
      { min: 2, max: 2, before: 'A-Z ', after: ' ' },
    ],
    back: { set: 'A-Z ', max: 3 },
    left: 'none',
    pattern:
      /[ ]?(?<![A-Za-z0-9_-])([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[0-9]{6}[A-D]| [0-9]{2} [0-9]{2} [0-9]{2} [A-D]))(?![0-9A-Za-z_])/,
    check: isNino,
    show: 0,
  },
  inContext('uk_nhs_number', ['nhs'], 'nhs', `[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}${end}`, isNhs),
  inContext(
    'nl_bsn',
    ['bsn', 'burgerservice', 'sofinummer'],
    '(?:bsn|burgerservice|sofi)',
    `[0-9]{4}${g}[0-9]{2}${g}[0-9]{3}${end}`,
    isBsn,
  ),
  inContext(
    'de_steuer_id',
    ['steuer', 'tax id', 'tax_id', 'tax-id', 'idnr', 'tin'],
    '(?:steuer|tax.id|idnr|tin\\b)',
    `[1-9][0-9]${g}[0-9]{3}${g}[0-9]{3}${g}[0-9]{3}${end}`,
    isSteuerId,
  ),
  inContext('pl_pesel', ['pesel'], 'pesel', `[0-9]{11}${end}`, isPesel),
  inContext(
    'in_aadhaar',
    ['aadhaar', 'aadhar', 'uidai'],
    '(?:aadhaa?r|uidai)',
    `[2-9][0-9]{3}${g}[0-9]{4}${g}[0-9]{4}${end}`,
    verhoeff,
  ),
  inContext('in_pan', ['pan'], 'pan\\b', `[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]${end}`),
  inContext(
    'ca_sin',
    ['sin', 'social insurance'],
    '(?:sin\\b|social insurance)',
    `[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}${end}`,
    isSin,
  ),
  inContext(
    'se_personnummer',
    ['personnummer', 'personnr', 'samordningsnummer'],
    '(?:personn|samordn)',
    `(?:19|20)?[0-9]{6}[-+]?[0-9]{4}${end}`,
    isPersonnummer,
  ),
  inContext(
    'au_tfn',
    ['tfn', 'tax file'],
    '(?:tfn|tax file)',
    `[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{3}${end}`,
    isTfn,
  ),
  {
    kind: 'fr_nir',
    class: 'pii',
    rank: 1,
    runs: [
      { min: 15, max: 15 },
      { min: 13, max: 13, after: ' ' },
      { min: 1, max: 1, after: ' ' },
    ],
    pattern:
      /[1278](?:[0-9]{14}|[0-9]{12} [0-9]{2}| [0-9]{2} [0-9]{2} [0-9AB]{2} [0-9]{3} [0-9]{3} [0-9]{2})(?![0-9A-Za-z_])/,
    check: (value, { text, start }) =>
      isNir(value) &&
      (value.includes(' ') || /(?:nir|s[ée]cu|insee)/i.test(text.slice(Math.max(0, start - 60), start))),
    show: 0,
  },
  {
    kind: 'it_codice_fiscale',
    class: 'pii',
    rank: 1,
    runs: [{ min: 2, max: 2, before: 'A-Z', after: 'ABCDEHLMPRST' }],
    back: { set: 'A-Z', max: 6 },
    pattern: /[A-Z]{6}[0-9]{2}[ABCDEHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z](?![0-9A-Za-z_])/,
    check: isCodiceFiscale,
    show: 0,
  },
];
