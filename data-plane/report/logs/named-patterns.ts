import { isIP, isIPv6 } from 'node:net';

/** What of a text is hidden by a name; `replacer` stands in place of each find. */
type Hide = (text: string, replacer: string) => string;

/*
 * Every repetition is bounded, and no two in a row can take the same character for long: the time grows with the text alone.
 */
const email = /[\p{L}\p{N}._%+'-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu;
const uri = /\b(?:(?:https?|ftps?|wss?|file):\/\/|mailto:)[^\s"'<>\\]+/gi;
const ipv6 =
  /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{1,4})?(?:%[\w.-]{1,16})?(?![\w:])/gi;
const ipv4 = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/g;
/** Visa (13, 16 or 19 digits), Mastercard, American Express; perhaps with blanks or dashes between groups. */
const creditCard =
  /(?<!\d)(?:(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2})(?:[ -]?\d{4}){3}(?:[ -]?\d{3})?|4\d{12}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?!\d)/g;

/** By the names of the reference. */
export const namedPatterns = {
  CREDIT_CARD: (text, replacer) => text.replace(creditCard, () => replacer),
  EMAIL: (text, replacer) => text.replace(email, () => replacer),
  // Those of version 6 first: one may end in one of version 4.
  IP: (text, replacer) =>
    text
      .replace(ipv6, (found) => (isIPv6(found) ? replacer : found))
      .replace(ipv4, (found) => (isIP(found) === 0 ? found : replacer)),
  URI: (text, replacer) => text.replace(uri, () => replacer),
} as const satisfies Readonly<Record<string, Hide>>;
