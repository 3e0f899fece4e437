import { maskJson } from './api/json-secrets.ts';
import { maskNamed } from './api/named-secrets.ts';
import { maskParts } from './api/part-secrets.ts';
import { maskXml } from './api/xml-secrets.ts';

/** Masks what must not stand in a record or a log. */
export interface Redactor {
  /**
   * A request target or a part of one (path, query, `path?query`): values of parameters that carry keys become `***`, userinfo too.
   *
   * Cost: two searches for what is not there when the text has no parameters; else one pass and a look-up per parameter.
   */
  readonly uri: (text: string) => string;
  /** A text that may quote such targets; bearer credentials and passwords in URLs as well. */
  readonly text: (text: string) => string;
  /** The body of a message, perhaps cut: as a text, and members of JSON, elements and attributes of XML, parts of forms, what stands behind a name and a colon (YAML, GraphQL), where the names are of such parameters. */
  readonly body: (text: string) => string;
  /** Says whether something of this name carries a key. */
  readonly isSecret: (name: string) => boolean;
}

const MASK = '***';

/**
 * Parameters that carry credentials in what is in use: ours, OAuth's, pre-signed URLs'. As {@link plainName} writes them.
 * What an operator's APIs call theirs is a setting (`report.secretParameters`).
 */
const secretNames: ReadonlySet<string> = new Set(
  [
    'apikey xapikey xgraviteeapikey accesskey secretkey privatekey subscriptionkey',
    'privatetoken csrftoken xsrftoken csrfmiddlewaretoken',
    'token accesstoken refreshtoken idtoken authtoken apitoken bearertoken sessiontoken',
    'jwt authorization auth credential credentials assertion clientassertion',
    'secret clientsecret password passwd pwd passphrase',
    'sig signature xamzsignature xamzcredential xamzsecuritytoken xgoogsignature xgoogcredential',
  ].flatMap((line) => line.split(' ')),
);

/** Names that were judged and are remembered; past it all are forgotten. */
const knownMax = 1_000;
/** Longer names are judged anew each time. */
const knownCharsMax = 64;
/** `%25253D`: more layers than anybody takes off are not taken off here either. */
const decodingsMax = 3;
/** JSON in a string of JSON in a string: a string further in that has escapes is masked as a whole. */
const nestingsMax = 4;

/**
 * Makes a redactor that also takes these names of parameters for ones that carry keys, and those of which `isSecretToo` says so, which is asked
 * for their letters and digits in lower case.
 */
export function createRedactor(
  moreNames: Iterable<string> = [],
  isSecretToo: (plain: string) => boolean = () => false,
): Redactor {
  const secret = new Set([...secretNames, ...[...moreNames].map(plainName)]);
  secret.delete('');
  const known = new Map<string, boolean>();
  const isSecret = (raw: string): boolean => {
    const seen = known.get(raw);
    if (seen !== undefined) return seen;
    const judged = namesOf(raw).some((name) => secret.has(name) || isSecretToo(name));
    if (raw.length > knownCharsMax) return judged;
    if (known.size >= knownMax) known.clear();
    known.set(raw, judged);
    return judged;
  };
  const text = (quoting: string): string => {
    const safe = maskUserinfo(quoting).replace(bearer, `$1 ${MASK}`);
    return hasParameters(safe) ? maskParameters(safe, isSecret, endsInText) : safe;
  };
  const body = (whole: string, depth: number): string => {
    const nested = (inner: string): string => (depth < nestingsMax ? body(inner, depth + 1) : MASK);
    let shown = form.test(whole) ? maskParameters(whole, isSecret, endsInUri) : maskParts(whole, isSecret);
    if (shown.includes('"')) {
      shown = maskJson(shown, { isSecret, nested }).replace(
        quotedMember,
        (found: string, name: string, between: string) =>
          isSecret(name) ? found.slice(0, found.indexOf(between) + between.length) + MASK : found,
      );
    }
    if (shown.includes('<')) {
      shown = maskXml(shown, isSecret).replace(element, (found: string, start: string, name: string) =>
        isSecret(name) ? `${start}${MASK}` : found,
      );
    }
    return text(maskNamed(shown, isSecret));
  };
  return {
    text,
    isSecret,
    uri(text) {
      const safe = text.includes('@') ? maskUserinfo(text) : text;
      return hasParameters(safe) ? maskParameters(safe, isSecret, endsInUri) : safe;
    },
    body: (whole) => body(whole, 0),
  };
}

/** A form has one line; in its values only `&` is an end, and none of the marks of a text. */
const form = /^[\w.%+*[\]-]{1,64}=[^\r\n]*$/;
/** A member of JSON that is a text in what cannot be decoded: its quotes are escaped, once or several times. */
const quotedMember = /\\{1,16}"([^"\\]{1,64})(\\{1,16}"\s{0,64}:\s{0,64}\\{1,16}")[^"\\]*/g;
/** The start of an element with the text in it, where the tags around cannot be read: `<wsse:Password Type="x">text`. */
const element = /(<(?:[\w.-]{1,64}:)?([\w.-]{1,64})(?:\s[^<>]{0,1024})?>)[^<]+/g;
const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const userPassword = /(\/\/[^/@\s:?#]*):[^/@\s]+@/g;
const maskUserinfo = (text: string): string => text.replace(userPassword, `$1:${MASK}@`);

/** An equals sign may come encoded, once or several times: `%3D`, `%253D`. */
const hasParameters = (text: string): boolean =>
  text.includes('=') || (text.includes('%') && encodedEquals.test(text));
const encodedEquals = /%(?:25)*3d/i;

/** In a target only `&` surely ends a value; a key may hold any other character. */
const endsInUri = (code: number): boolean => code === 0x26;
/** In a text a blank, a quote or an angle bracket does as well. */
const endsInText = (code: number): boolean =>
  code === 0x26 ||
  code <= 0x20 ||
  code === 0x22 ||
  code === 0x27 ||
  code === 0x60 ||
  code === 0x3c ||
  code === 0x3e;

/**
 * One pass: a name is what stands between a delimiter and an equals sign, each plain or encoded, wherever it stands: in the
 * query, in a path that was meant to be one (`/x;api-key=`, `/x%3Fapi-key=`), in an address that is a parameter's value.
 */
function maskParameters(
  text: string,
  isSecret: (raw: string) => boolean,
  ends: (code: number) => boolean,
): string {
  let masked = '';
  let copied = 0;
  let nameStart = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    const equals = code === 0x3d ? 1 : code === 0x25 ? encodedEqualsAt(text, at) : 0;
    if (equals === 0) {
      at += 1;
      if (isDelimiter(code) || ends(code)) nameStart = at;
      continue;
    }
    const isKey = isSecret(text.slice(nameStart, at));
    at += equals;
    nameStart = at;
    if (!isKey) continue;
    if (ends(quoteCode)) at = pastQuote(text, at);
    const valueStart = at;
    while (at < text.length && !ends(text.charCodeAt(at))) at += 1;
    // What escapes the quote at the end is not the value's.
    if (text.charCodeAt(at) === quoteCode)
      while (at > valueStart && text.charCodeAt(at - 1) === backslashCode) at -= 1;
    if (at === valueStart) continue;
    masked += text.slice(copied, valueStart) + MASK;
    copied = at;
    nameStart = at;
  }
  return copied === 0 ? text : masked + text.slice(copied);
}

const quoteCode = 0x22;
const backslashCode = 0x5c;

/** In a text a value may stand in quotes, also in such as are escaped. */
function pastQuote(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === backslashCode) at += 1;
  const code = text.charCodeAt(at);
  return code === quoteCode || code === 0x27 ? at + 1 : start;
}

/** `& ? ; # / , space`: none of them is part of a name. */
function isDelimiter(code: number): boolean {
  return (
    code === 0x26 ||
    code === 0x3f ||
    code === 0x3b ||
    code === 0x23 ||
    code === 0x2f ||
    code === 0x2c ||
    code === 0x20
  );
}

/** Length of an encoded equals sign that begins here, or 0. */
function encodedEqualsAt(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) === 0x32 && text.charCodeAt(at + 1) === 0x35) at += 2;
  return text.charCodeAt(at) === 0x33 && (text.charCodeAt(at + 1) | 0x20) === 0x64 ? at + 2 - start : 0;
}

/**
 * A parameter's name as it is compared: decoded, what stands after the last delimiter, without an index (`[0]`), and of that the
 * letters and digits in lower case, so that `api-key`, `API_KEY`, `api%2Dkey` and `apiKey` are one.
 */
function plainName(raw: string): string {
  let name = raw;
  for (let layer = 0; layer < decodingsMax && name.includes('%'); layer += 1)
    name = name.replace(escapes, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  // Split, not matched from the end: that would look at each character as often as the name is long.
  const own = name.split(delimiters).at(-1) ?? '';
  const index = own.indexOf('[');
  return (index === -1 ? own : own.slice(0, index)).replace(marks, '').toLowerCase();
}

/** The name, and its last part where it is a path: `user[password]`, `user.password`, `a[b][api-key][]`. */
function namesOf(raw: string): readonly string[] {
  const whole = plainName(raw);
  if (!nested.test(raw)) return [whole];
  const parts = raw.replace(escapedBrackets, '.').split(partEnds).map(plainName);
  const last = parts.findLast((part) => /[a-z]/.test(part));
  return last === undefined ? [whole] : [whole, last];
}

const escapes = /%([0-9a-f]{2})/gi;
const delimiters = /[&?;#/,=]/;
const marks = /[^a-z0-9]/gi;
const nested = /[.[\]]|%(?:25)*(?:5b|5d|2e)/i;
const escapedBrackets = /%(?:25)*(?:5b|5d|2e)/gi;
const partEnds = /[.[\]]+/;
