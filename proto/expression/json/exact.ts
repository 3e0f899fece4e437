/** Whether a text may hold a whole number that is not exactly one of JavaScript's. */
const mayBeLong = /\d{16}/;

/** As JSON.parse, but whole numbers keep all of their digits: those that are not exact otherwise are bigints. Errors: SyntaxError. */
export function parseExact(json: string): unknown {
  return mayBeLong.test(json) ? JSON.parse(json, keepLong) : JSON.parse(json);
}

/** JSON.parse says how a value is written, which its type does not know yet. */
const keepLong = (_key: string, value: unknown, written?: { readonly source?: string }): unknown => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(written?.source ?? '') ? BigInt(written?.source ?? '') : value;
};
