/**
 * The byte classes of RFC 9110 and RFC 9112 as tables: one load decides about one byte.
 *
 * Shape: index is the byte, 1 means it belongs to the class, 0 that it does not.
 */

function tableOf(belongs: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (belongs(byte) ? 1 : 0));
}

const tokenMarks = new Set(Buffer.from("!#$%&'*+-.^_`|~"));
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/** tchar, RFC 9110 section 5.6.2: methods, field names, transfer codings. */
export const token = tableOf((byte) => isDigit(byte) || isLetter(byte) || tokenMarks.has(byte));

/** In {@link fieldName}: a tchar that is no letter, digit or `-`. */
export const ODD = 2;

/** As `token`; marks other than `-` are {@link ODD}, since some servers behind us take them for one. */
export const fieldName = token.map((belongs, byte) =>
  belongs === 1 && tokenMarks.has(byte) && byte !== 0x2d ? ODD : belongs,
);

/** Field values, RFC 9110 section 5.5: visible ASCII, space, HTAB and obs-text; no other control byte. */
export const fieldValue = tableOf((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** Request targets: visible ASCII but `#` (a fragment never travels) and `\` (a slash to some servers). */
export const target = tableOf((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23 && byte !== 0x5c);

/** Value of a hexadecimal digit, 255 for other bytes. */
export const hexValue = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255;
});

const blanksAround = /^[ \t]+|[ \t]+$/g;

/** The members of a comma-separated list (RFC 9110 section 5.6.1): without SP and HTAB around, and nothing else gone, as trim() would. */
export function listMembers(value: string): readonly string[] {
  return value.split(',').map((member) => member.replace(blanksAround, ''));
}

/** Bytes with names. */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
