import { fail } from '../expression/failure.ts';

type How = 'html' | 'xhtml' | 'xml' | 'json_string' | 'js_string' | 'j_string' | 'url' | 'url_path';

const marks: ReadonlyMap<string, string> = new Map([
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['&', '&amp;'],
  ['"', '&quot;'],
]);
const letters: ReadonlyMap<string, string> = new Map([
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

const hex = (letter: string, digits: number): string =>
  letter.charCodeAt(0).toString(16).toUpperCase().padStart(digits, '0');

/** A text that means itself where it is put. */
export function escaped(text: string, how: How): string {
  switch (how) {
    case 'html':
    case 'xhtml':
      return text.replaceAll(/[<>&"']/g, (mark) => marks.get(mark) ?? '&#39;');
    case 'xml':
      return text.replaceAll(/[<>&"']/g, (mark) => marks.get(mark) ?? '&apos;');
    case 'json_string':
      return inScript(text, (letter) => `\\u${hex(letter, 4)}`, false);
    case 'js_string':
      return inScript(
        text,
        (letter) => (letter <= 'ÿ' ? `\\x${hex(letter, 2)}` : `\\u${hex(letter, 4)}`),
        true,
      );
    case 'j_string':
      return text.replaceAll(/["\\\p{Cc}]/gu, (letter) =>
        letter < ' ' || letters.has(letter)
          ? (letters.get(letter) ?? `\\u${hex(letter, 4).toLowerCase()}`)
          : letter,
      );
    case 'url':
    case 'url_path':
      return inUrl(text, how);
  }
}

/** In a text of JSON or JavaScript, which may stand in HTML: no `</`, `<!` or `]]>` comes out of it. */
function inScript(text: string, code: (letter: string) => string, isJavaScript: boolean): string {
  const found = /["\\'/<>\p{Cc}\u2028\u2029]/gu;
  return text.replaceAll(found, (letter, at: number) => {
    const known = letters.get(letter);
    if (known !== undefined) return known;
    if (letter === "'") return isJavaScript ? "\\'" : letter;
    if (letter === '/') return at === 0 || text[at - 1] === '<' ? '\\/' : letter;
    if (letter === '<')
      return text[at + 1] === '!' || text[at + 1] === '?' || at === text.length - 1 ? code(letter) : letter;
    if (letter !== '>') return code(letter);
    const isEnd =
      at >= 2
        ? text.slice(at - 2, at) === ']]' || text.slice(at - 2, at) === '--'
        : at === 0 || text[0] === ']' || text[0] === '-';
    return isEnd ? (isJavaScript ? '\\>' : code(letter)) : letter;
  });
}

function inUrl(text: string, how: 'url' | 'url_path'): string {
  let encoded: string;
  try {
    encoded = encodeURIComponent(text);
  } catch {
    return fail('half of a surrogate pair has no place in a URL');
  }
  return how === 'url_path' ? encoded.replaceAll('%2F', '/') : encoded;
}
