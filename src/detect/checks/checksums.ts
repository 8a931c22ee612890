/** The digits of a text, in order. */
export function digitsOf(text: string): number[] {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) out.push(digit);
  }
  return out;
}

/** Luhn's check over all digits of a text (ISO/IEC 7812-1, annex B). */
export function luhn(text: string): boolean {
  const digits = digitsOf(text).reverse();
  const sum = digits.reduce((total, digit, i) => {
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return digits.length > 1 && sum % 10 === 0;
}

/** Sum of digits, each times its weight. */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (digits[i] ?? 0), 0);
}

/** ISO 7064 mod 97-10 over digits and letters (A = 10): 1 for a valid text. */
export function mod97(text: string): number {
  let rest = 0;
  for (const char of text) {
    const value = Number.parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

const D5 =
  '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210';
const PERMUTE = '01234567891576283094580379614289160435279453126870428657390127938064157046913258';

/** Verhoeff's check (dihedral group D5), used by Aadhaar. */
export function verhoeff(text: string): boolean {
  const digits = digitsOf(text).reverse();
  let c = 0;
  digits.forEach((digit, i) => {
    c = Number(D5[c * 10 + Number(PERMUTE[(i % 8) * 10 + digit])]);
  });
  return digits.length > 1 && c === 0;
}

/** ISO 7064 mod 11,10, the check of the German tax number. */
export function mod11of10(text: string): boolean {
  const digits = digitsOf(text);
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits.at(-1);
}
