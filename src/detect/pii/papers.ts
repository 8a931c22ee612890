import { isIPv4, isIPv6 } from 'node:net';
import type { Kind } from '../types.ts';
import { inContext } from './context.ts';

const WEIGHTS = [7, 3, 1];
/** Check digit of a machine-readable field (ICAO Doc 9303, part 3, section 4.9). */
function mrzCheck(field: string): number {
  return (
    [...field].reduce(
      (sum, char, i) => sum + (char === '<' ? 0 : Number.parseInt(char, 36)) * (WEIGHTS[i % 3] ?? 0),
      0,
    ) % 10
  );
}

/** A passport's second line: number, nationality, birth, sex and expiry with their check digits. */
function isMrz(value: string): boolean {
  const line = value.slice(-44);
  return mrzCheck(line.slice(0, 9)) === Number(line[9]) && mrzCheck(line.slice(13, 19)) === Number(line[19]);
}

const MONTHS =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?';
const DATE = `(?:(?:19|20)[0-9]{2}[-/.][01]?[0-9][-/.][0-3]?[0-9]|[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:19|20)?[0-9]{2}|(?:${MONTHS})\\.? [0-3]?[0-9](?:st|nd|rd|th)?,? (?:19|20)[0-9]{2}|[0-3]?[0-9](?:st|nd|rd|th|\\.)? (?:${MONTHS}),? (?:19|20)[0-9]{2})(?![0-9A-Za-z_])`;

/** Addresses of the public internet; private, loopback, link-local and multicast ones name no one. */
function isPublicIp(value: string): boolean {
  if (isIPv6(value)) return /^[23][0-9a-f]{3}:/i.test(value) && !/^2001:0?db8:/i.test(value);
  if (!isIPv4(value)) return false;
  const [a = 0, b = 0, c = 0] = value.split('.').map(Number);
  if (a === 0 || a === 10 || a === 127 || a >= 224 || (a === 100 && b >= 64 && b < 128)) return false;
  if ((a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)) return false;
  if ((a === 198 && (b === 18 || b === 19)) || (a === 192 && b === 0 && c === 0)) return false;
  // public resolvers stand for themselves
  return !/^(?:8\.8\.[48]\.[48]|1\.[01]\.[01]\.1|9\.9\.9\.9)$/.test(value);
}

/** Papers, dates of birth, and addresses of machines where the text says whose they are. */
export const PAPERS: readonly Kind[] = [
  {
    kind: 'passport_mrz',
    class: 'pii',
    rank: 0,
    anchors: ['p<'],
    pattern:
      /P<[A-Z]{3}[A-Z<]{39}[\r\n ]{1,3}[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{14}[0-9<][0-9]/,
    check: isMrz,
    show: 5,
  },
  inContext(
    'passport_number',
    ['passport', 'reisepass', 'passeport', 'pasaporte'],
    '(?:passport|reisepass|passeport|pasaporte)(?: ?(?:number|no\\.?|num|nr\\.?|#))?',
    '(?=[A-Z0-9]{0,8}[0-9]{4})[A-Z]{0,2}[0-9][A-Z0-9]{5,8}(?![0-9A-Za-z_])',
    (value) => /[0-9].*[0-9].*[0-9].*[0-9]/.test(value) && !/[a-z]/.test(value),
  ),
  inContext(
    'date_of_birth',
    [
      'date of birth',
      'date_of_birth',
      'dateofbirth',
      'date-of-birth',
      'birth_date',
      'birthdate',
      'birth date',
      'birthday',
      'dob',
      'born',
      'geboren',
      'geburtsdatum',
      'fecha de nacimiento',
      'geboortedatum',
    ],
    '(?:date.?of.?birth|birth.?date|birthday|dob|born|geboren|geburtsdatum|fecha de nacimiento|geboortedatum)',
    DATE,
  ),
  inContext(
    'ip_address',
    [
      'client',
      'remote',
      'forwarded',
      'real-ip',
      'real_ip',
      'realip',
      'ip address',
      'ip_address',
      'ipaddress',
      'user ip',
      'user_ip',
      'userip',
      'source ip',
      'source_ip',
      'from ip',
      'login from',
      'logged in from',
      'visitor',
      'your ip',
      'my ip',
      'ip:',
      'ip=',
      'ip is',
      'ip"',
    ],
    '(?:client|remote|forwarded|real.?ip|ip.?address|user.?ip|source.?ip|from ip|log(?:in|ged in) from|visitor|(?:your|my) ip|ip(?:[:="]| is))',
    '(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}(?![0-9.])|[23][0-9a-f]{3}:[0-9a-f:]{4,34})(?![0-9A-Za-z_:])',
    isPublicIp,
  ),
  inContext(
    'medical_record_number',
    ['mrn', 'medical record', 'patient id', 'patient_id'],
    '(?:mrn|medical record|patient.id)',
    '[0-9]{6,10}(?![0-9A-Za-z_-])',
  ),
  inContext(
    'drivers_license',
    [
      "driver's license",
      'drivers license',
      'driver license',
      'drivers_license',
      'driver_license',
      'driving licence',
      'driving license',
    ],
    "(?:driver'?s?.license|driving licen[cs]e)(?: ?(?:number|no\\.?|#))?",
    '[A-Z]{1,2}[0-9]{6,12}(?![0-9A-Za-z_])',
  ),
];
