import { isNestedDeeper } from '../../../../proto/expression/json/levels.ts';

/** What becomes of a text that stands by itself; the same text where nothing was found. */
export type Change = (text: string) => string;

/**
 * Looks through a body by its type: each text, name and number of JSON by itself, what forms hold decoded, all else whole. What is not
 * changed stays byte for byte as it was written.
 */
export function lookedThrough(text: string, mediaType: string, change: Change): string {
  if (mediaType === 'application/x-www-form-urlencoded') return form(text, change);
  return isJson(text, mediaType) ? json(text, change) : change(text);
}

/** Of whatever type, since many call JSON a text; but a number alone is JSON where it says so. */
function isJson(text: string, mediaType: string): boolean {
  const isLikeJson = /[/+]json$/.test(mediaType) || /^\s*[[{"]/.test(text);
  if (!isLikeJson || isNestedDeeper(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const isOfNumber = (letter: string | undefined): boolean => letter !== undefined && /[\d.eE+-]/.test(letter);

/** Of a text that is JSON. */
function json(text: string, change: Change): string {
  let made = '';
  let copied = 0;
  const replace = (start: number, end: number, plain: string): void => {
    const changed = change(plain);
    if (changed === plain) return;
    made += text.slice(copied, start) + JSON.stringify(changed);
    copied = end;
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') {
      const end = closingQuote(text, at + 1) + 1;
      const raw = text.slice(at, end);
      replace(at, end, raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1));
      at = end - 1;
    } else if (letter !== undefined && /[\d-]/.test(letter)) {
      let end = at + 1;
      while (isOfNumber(text[end])) end += 1;
      replace(at, end, text.slice(at, end));
      at = end - 1;
    }
  }
  return made + text.slice(copied);
}

/** The quote that ends a text of JSON. */
function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - slashes - 1] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

/** Names and values of a form, each by itself. */
function form(text: string, change: Change): string {
  return text
    .split('&')
    .map((pair) =>
      pair
        .split('=')
        .map((part) => {
          const plain = decoded(part);
          const changed = change(plain);
          return changed === plain ? part : encodeURIComponent(changed);
        })
        .join('='),
    )
    .join('&');
}

/** What is no escape stays as it is. */
function decoded(part: string): string {
  const spaced = part.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
