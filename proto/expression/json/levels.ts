/** JSON that is nested more deeply is nobody's message: reading it costs twenty times what its length does. */
export const jsonLevelsMax = 1_000;

/** Whether objects and lists stand more than so many levels deep in a text that may be JSON. Costs less than reading it. */
export function isNestedDeeper(text: string, levels = jsonLevelsMax): boolean {
  if (!hasMore(text, levels)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = closingQuote(text, at + 1);
    else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > levels) return true;
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
  }
  return false;
}

/** Whether a text has more than so many opening brackets; most have fewer than the levels that are allowed, and are told at once. */
function hasMore(text: string, most: number): boolean {
  let left = most;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      left -= 1;
      if (left < 0) return true;
    }
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The quote that ends a string, or the end of the text. */
function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (at - slashes > start && text.charCodeAt(at - slashes - 1) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}
