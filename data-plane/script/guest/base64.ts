import { wordOf } from './maps.ts';

/** Text to Base64 and back, both by UTF-8. */
export function createBase64() {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const encode = (given: unknown): string | null => {
    if (given === null || given === undefined) return null;
    const bytes = unescape(encodeURIComponent(wordOf(given)));
    let made = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const [a, b, c] = [0, 1, 2].map((n) => bytes.charCodeAt(at + n));
      const word = ((a ?? 0) << 16) | ((b || 0) << 8) | (c || 0);
      const left = bytes.length - at;
      made += digits.charAt(word >> 18) + digits.charAt((word >> 12) & 63);
      made +=
        (left > 1 ? digits.charAt((word >> 6) & 63) : '=') + (left > 2 ? digits.charAt(word & 63) : '=');
    }
    return made;
  };
  const decode = (given: unknown): string | null => {
    if (given === null || given === undefined) return null;
    let [bits, count, bytes] = [0, 0, ''];
    for (const letter of wordOf(given).replaceAll(/[\s=]/g, '')) {
      const digit = digits.indexOf(letter === '-' ? '+' : letter === '_' ? '/' : letter);
      if (digit < 0) throw new TypeError('this is no Base64');
      bits = ((bits << 6) | digit) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      bytes += String.fromCharCode((bits >> count) & 0xff);
    }
    try {
      return decodeURIComponent(escape(bytes));
    } catch {
      return bytes;
    }
  };
  return { encode, decode };
}
