import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Place } from '../types.ts';

/** Exact repetition or counting is a stand-in. */
function isSequence(digits: string): boolean {
  return /^(\d)\1*$/.test(digits.slice(-7)) || '01234567890123456789'.includes(digits);
}

/**
 * Whether a candidate can be dialled. North American numbers by the numbering plan's structure (NPA-NXX-XXXX,
 * also the fictional 555 exchange, which only stands for people), others by libphonenumber.
 */
export function isPhoneNumber(value: string, { text, start, end }: Place): boolean {
  const digits = value.replace(/\D/g, '');
  if (isSequence(digits)) return false;
  // groups parted by spaces are also how tables of numbers look
  if (/^\d+ \d+ /.test(value) && /[0-9] {1,4}$/.test(text.slice(Math.max(0, start - 6), start))) return false;
  if (!value.startsWith('+')) return digits.length === 10 || digits.startsWith('1');
  // sums, diffs and offsets: `x+1234567890`, `+12345678,`
  if (/[\w)\]]$/.test(text.slice(Math.max(0, start - 1), start))) return false;
  if (/^\+\d+$/.test(value) && /^[ \t]*[-+*/%]?[ \t]*[\w(]*[=(+]/.test(text.slice(end, end + 8)))
    return false;
  if (/^\+1\D?/.test(value) && digits.length === 11)
    return /^1(?:555\d{7}|[2-9]\d{2}[2-9]\d{6})$/.test(digits);
  return parsePhoneNumberFromString(value)?.isValid() ?? false;
}
