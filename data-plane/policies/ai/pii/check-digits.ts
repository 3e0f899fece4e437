/**
 * Check digits of published schemes. Each takes what its digits and letters are without what stands between them, and says whether that is
 * one. Sources: ISO/IEC 7812 (Luhn, issuers of cards), ISO 13616 (IBAN), 3GPP TS 23.003 (IMEI), ISO 3779 with 49 CFR 565 (VIN), and the
 * rules of each country's administration.
 */

const digitsOf = (text: string): readonly number[] => Array.from(text, Number);
const weighted = (digits: readonly number[], weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Numbers that issuers of payment cards have, with the lengths that they use. */
const issuers: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^5[1-5]/, [16]],
  [/^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14, 16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^6(?:011|4[4-9]|5|22)/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
];

/** A payment card. */
export function isCard(digits: string): boolean {
  return (
    issuers.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits)) &&
    isLuhn(digits)
  );
}

/** IMEI: 15 digits, not all the same. */
export const isImei = (digits: string): boolean =>
  digits.length === 15 && !isUniform(digits) && isLuhn(digits);

const isUniform = (digits: string): boolean => /^(.)\1*$/.test(digits);

/** Characters of an IBAN by country, as its registry has them. */
const ibanChars: ReadonlyMap<string, number> = new Map(
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** How long an IBAN of this country is; undefined where none has one. */
export const ibanCharsOf = (country: string): number | undefined => ibanChars.get(country);

/** IBAN in capitals. */
export function isIban(text: string): boolean {
  if (ibanCharsOf(text.slice(0, 2)) !== text.length || !/^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(text)) return false;
  let rest = 0;
  for (const letter of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(letter, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** VIN in capitals, of the countries that give it a check digit. */
export function isVin(text: string): boolean {
  if (!/^[A-HJ-NPR-Z0-9]{17}$/.test(text)) return false;
  const values = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ';
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  const sum = weighted(
    Array.from(text, (letter) => values.indexOf(letter) % 10),
    weights,
  );
  return 'X' === text[8] ? sum % 11 === 10 : String(sum % 11) === text[8];
}

/** Steueridentifikationsnummer: ISO 7064 modulo 11,10; one digit of the first ten comes twice or three times. */
export function isSteuerId(digits: string): boolean {
  if (!/^[1-9]\d{10}$/.test(digits)) return false;
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false;
  let product = 10;
  for (const digit of digitsOf(digits.slice(0, 10))) {
    const sum = (digit + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits[10]);
}

/** NIR: sex, year, month, place, order, and 97 less their remainder; Corsica has letters in the place. */
export function isNir(text: string): boolean {
  if (!/^[12]\d\d(?:0[1-9]|1[0-2]|[2-4]\d)\d[\dAB]\d{6}\d\d$/.test(text)) return false;
  const number = BigInt(text.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return 97n - (number % 97n) === BigInt(text.slice(13));
}

/** DNI (eight digits) and NIE (X, Y or Z in front of seven) with their letter. */
export function isDni(text: string): boolean {
  if (!/^[XYZ\d]\d{7}[A-Z]$/.test(text)) return false;
  const number = Number(text.slice(0, 8).replace('X', '0').replace('Y', '1').replace('Z', '2'));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === text[8];
}

/** What letters and digits count at the odd places of a codice fiscale, in the order 0-9, A-Z. */
const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Codice fiscale of a person, in capitals; digits may be letters where two persons would have one. */
export function isCodiceFiscale(text: string): boolean {
  const digit = '[\\dLMNPQRSTUV]';
  if (!new RegExp(`^[A-Z]{6}${digit}{2}[A-EHLMPRST]${digit}{2}[A-Z]${digit}{3}[A-Z]$`).test(text))
    return false;
  const sum = Array.from(text.slice(0, 15)).reduce((total, letter, index) => {
    const value = Number.parseInt(letter, 36);
    const place = value > 9 ? value - 10 : value;
    return total + (index % 2 === 0 ? (odd[place] ?? 0) : place);
  }, 0);
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}

/** Burgerservicenummer: the test of eleven. */
export function isBsn(digits: string): boolean {
  if (digits.length !== 9 || isUniform(digits)) return false;
  return weighted(digitsOf(digits), [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

/** Belgian national number: 97 less the remainder; who was born in this century has a 2 in front. */
export function isBelgian(digits: string): boolean {
  if (!/^\d\d(?:[024][0-9]|[135][0-2])[0-3]\d{6}$/.test(digits)) return false;
  const [number, check] = [Number(digits.slice(0, 9)), Number(digits.slice(9))];
  return 97 - (number % 97) === check || 97 - ((2_000_000_000 + number) % 97) === check;
}

/** PESEL: a date, an order and a check digit. */
export function isPesel(digits: string): boolean {
  if (!/^\d\d[02468][1-9][0-3]\d{6}$|^\d\d[13579][0-2][0-3]\d{6}$/.test(digits)) return false;
  return (10 - (weighted(digitsOf(digits), [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(digits[10]);
}

/** CPF: two check digits, modulo 11. */
export function isCpf(digits: string): boolean {
  if (digits.length !== 11 || isUniform(digits)) return false;
  const all = digitsOf(digits);
  const check = (count: number): number => {
    const sum = weighted(
      all,
      Array.from({ length: count }, (_, index) => count + 1 - index),
    );
    return ((sum * 10) % 11) % 10;
  };
  return check(9) === all[9] && check(10) === all[10];
}
