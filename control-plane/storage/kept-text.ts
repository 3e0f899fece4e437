/**
 * A text from outside, cut to size by whole characters and without what PostgreSQL cannot store: what is read again is what was written.
 *
 * Units: charsMax counts UTF-16 code units, as `length` does; one that would be halved at the end is left out.
 */
export function keptText(text: string, charsMax: number): string {
  const isHalved = text.length > charsMax && isHighSurrogate(text.charCodeAt(charsMax - 1));
  return text
    .slice(0, isHalved ? charsMax - 1 : charsMax)
    .replaceAll('\0', '')
    .toWellFormed();
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd8_00 && unit <= 0xdb_ff;
