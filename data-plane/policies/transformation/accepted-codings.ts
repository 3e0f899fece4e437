/** Longer lists are nobody's wish. */
const charsMax = 1_024;

/**
 * How much a client likes a coding, by its `Accept-Encoding` (RFC 9110 section 12.5.3): 0 where it does not accept it, 1 at most.
 *
 * Without the header, or with what is none, a client gets what it would understand in any case: nothing is compressed.
 */
export function weightOf(accepted: string, coding: string): number {
  if (accepted.length > charsMax) return 0;
  let ofAny = 0;
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const said = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    const weight = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(said) ? Number(said) : 0;
    if (name === coding || name === `x-${coding}`) return weight;
    if (name === '*') ofAny = weight;
  }
  return ofAny;
}
