/** Whether a code unit may stand in XML 1.0 (section 2.2); halves of pairs may, since decoded text has no others. */
export function isXmlUnit(unit: number): boolean {
  return unit >= 0x20 ? unit < 0xfffe : isXmlBlank(unit);
}

/** Whether a code point may be written as a reference (section 4.1). */
export function isXmlPoint(point: number): boolean {
  if (point > 0xffff) return point <= 0x10ffff;
  return isXmlUnit(point) && (point < 0xd800 || point > 0xdfff);
}

/** Section 2.3: blanks and ends of lines. */
export function isXmlBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** Section 2.3, beyond ASCII: what may begin a name. High halves are those of U+10000 to U+EFFFF. */
const startRanges: readonly (readonly [from: number, to: number])[] = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xd800, 0xdb7f],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
];

/** ... and what may stand further on as well. Low halves stand behind high ones alone. */
const restRanges: readonly (readonly [from: number, to: number])[] = [
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
  [0xdc00, 0xdfff],
];

const isIn = (ranges: typeof startRanges, unit: number): boolean =>
  ranges.some(([from, to]) => unit >= from && unit <= to);

/** Whether a name may begin with a code unit. */
export function isNameStart(unit: number): boolean {
  if (unit < 0x80) return ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a) || unit === 0x5f || unit === 0x3a;
  return isIn(startRanges, unit);
}

/** Whether a name may go on with a code unit. */
export function isNameUnit(unit: number): boolean {
  if (isNameStart(unit)) return true;
  if (unit < 0x80) return (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x2e;
  return isIn(restRanges, unit);
}

/** Whether a text is a name. */
export function isXmlName(text: string): boolean {
  if (text === '' || !isNameStart(text.charCodeAt(0))) return false;
  for (let at = 1; at < text.length; at += 1) if (!isNameUnit(text.charCodeAt(at))) return false;
  return true;
}
