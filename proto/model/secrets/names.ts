import { rootNames } from '../../expression/roots.ts';
import { createRedactor } from '../redaction.ts';

/*
 * What is a secret by its name alone, where no schema says what stands there: fields that are mistyped or refused, policies and resources
 * that this version does not know. Somebody who wrote one meant a secret, whether it can be deployed or not.
 */

/** How such names end, as {@link plain} writes them. */
export const secretWords = [
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
  'sharedkey',
  'signingkey',
  'encryptionkey',
  'subscriptionkey',
  'credential',
  'credentials',
  'authorization',
  'basicauth',
  'bearer',
  'passcode',
  'presharedkey',
  'masterkey',
  'accountkey',
  'authkey',
  'hmackey',
] as const;

/** Names, and last words of names, that are too short to end others: `bypass`, `compass`. */
const shortWords: ReadonlySet<string> = new Set(['pass', 'pw', 'psk', 'cred', 'creds', 'otp', 'cookies']);

/** A `pass` written in one with the word before it, `dbpass`, and words that end so. */
const joinedPass = /(?<!by|com|tres|sur|over|under|low|high|band|all|im|sea)pass$/;

/** Letters and digits in lower case: `api-key`, `API_KEY` and `apiKey` are one. */
const plain = (name: string): string => name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase();

/** Whether what has that name is a secret, e.g. `clientSecret`, `X-Api-Key`, `db.password`, `smtpPass`, `tokenValue`. */
export const isSecretName = remembered(
  (name) =>
    isSecretWord(plain(name)) ||
    secretHeader.test(name) ||
    shortWords.has(lastWordOf(name)) ||
    joinedPass.test(plain(name)),
);

/** The same of letters and digits in lower case, which stand in any text: what is short counts alone. */
export function isSecretWord(word: string): boolean {
  const own = word.replace(whichOne, '');
  return (
    !counted.test(word) &&
    (secretWords.some((each) => word.endsWith(each) || own.endsWith(each)) || shortWords.has(word))
  );
}

/** What may stand behind the word: which of several it is, or how it is written. */
const whichOne =
  /(?:value|text|string|hash|base64|encoded|plain|plaintext|raw|old|new|confirm|confirmation|\d{1,3})$/;
/** What models count. */
const counted = /(?:max|min|num|total|prompt|completion|input|output)tokens$/;

/** The last word of a name: `pass` of `smtp_pass` and `userPass`. */
export const lastWordOf = (name: string): string => plain(name.split(wordEnds).findLast(Boolean) ?? '');

/** Names that ask for a user with his password in one text. */
export const isUserInformationName = (name: string): boolean => userInformationWords.has(lastWordOf(name));
const userInformationWords: ReadonlySet<string> = new Set(['auth', 'basic', 'login', 'userinfo', 'userpwd']);

/** Names that were judged and are remembered; past it all are forgotten. */
const knownMax = 1_000;
/** Longer names are judged anew each time. */
const knownCharsMax = 64;

function remembered(judge: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    const judged = judge(name);
    if (name.length > knownCharsMax) return judged;
    if (known.size >= knownMax) known.clear();
    known.set(name, judged);
    return judged;
  };
}

/** Headers of our kind: `X-Shop-Key`. */
const secretHeader = /^x-.*-key$/i;

const cookies: ReadonlySet<string> = new Set(['cookie', 'cookie2', 'set-cookie', 'set-cookie2']);
const redactor = createRedactor();

/**
 * Whether a header, or a parameter, of that name carries what lets somebody in: the one list, by which lines of logged calls are masked and
 * values in definitions are sealed. What gateways and plans call theirs comes to it in logs.
 */
export function isSecretHeader(name: string): boolean {
  const lower = name.toLowerCase();
  const own = lower.startsWith('x-') ? lower.slice(2) : lower;
  return cookies.has(lower) || redactor.isSecret(lower) || redactor.isSecret(own) || isSecretName(name);
}

/**
 * Whether the value of a header says only where a secret is: expressions without texts of their own but names, perhaps behind the word of a
 * scheme: `Bearer {#properties['token']}`, `{#request.headers['x-token'][0].substring(7)}`, `{#jsonPath(#request.content, '$.token')}`.
 */
export const isReference = (value: string): boolean => references.test(value) && isOfRoots(value);

/** A text without what only says where a secret is. */
export const withoutReferences = (text: string): string =>
  text.includes('{') ? text.replaceAll(anyReference, (found) => (isOfRoots(found) ? '' : found)) : text;

const scheme = /(?:(?:basic|bearer|digest|token|apikey|negotiate)\s+)?/.source;
// A second text of `get` is a default, which may be the secret itself; but for a secret's it is a key in it.
const path =
  /#(?:secrets\.get\('[^'{}]*', ?'[^'{}]*'\)|[a-z]+)(?:\.[a-z]\w*|\[(?:'[^'{}]*'|\d+)\]|\.get\('[^'{}]*'\)|\((?:\d+(?:, ?\d+)?)?\))*/
    .source;
const found = `#(?:jsonPath|xpath)\\(${path}, ?'[^'{}]*'\\)`;
const expression = `\\{(?:${found}|${path})\\}`;
const references = new RegExp(`^\\s*${scheme}(?:${expression}\\s*)+$`, 'i');
const anyReference = new RegExp(`${scheme}${expression}`, 'gi');

/** Whether all that it names is there: `{#hunter2}` is a secret between the braces of an expression. */
function isOfRoots(value: string): boolean {
  const known = rootNames();
  return (value.match(/(?<=#)[a-z]\w*/gi) ?? []).every((name) => known.includes(name) || isFunction(name));
}

const isFunction = (name: string): boolean => name === 'jsonPath' || name === 'xpath';

/**
 * Whether a name, or its last words, is one of those with a slip in it, or of `own` ones: `passwrod`, `clientSecrt`. Names of four letters are
 * their own.
 */
export function isNearSecretName(name: string, own: readonly string[]): boolean {
  if (counted.test(plain(name))) return false;
  return isNearSecretWord(name) || (own.length > 0 && isNearAny(name, own.map(plain)));
}

const isNearSecretWord = remembered((name) => isNearAny(name, secretWords));

function isNearAny(name: string, known: readonly string[]): boolean {
  const words = name.split(wordEnds).map(plain);
  const tails = words.slice(-tailWordsMax).map((_, index, last) => last.slice(index).join(''));
  return [plain(name), ...tails].some((word) => known.some((each) => isNear(word, each)));
}

const wordEnds = /(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+/;
/** No name of ours has more words. */
const tailWordsMax = 3;

function isNear(word: string, each: string): boolean {
  if (each.length < 5 || Math.abs(word.length - each.length) > 2) return word === each;
  const slipsMax = each.length < 8 ? 1 : 2;
  return isWithin(word, each, slipsMax) || isSwapped(word, each);
}

/** Whether so few letters put in, taken out or replaced make one of the other. Nearly always told by the first letters that differ. */
function isWithin(one: string, other: string, slips: number): boolean {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  if (at === one.length && at === other.length) return true;
  if (slips === 0 || Math.abs(one.length - other.length) > slips) return false;
  const [left, right] = [one.slice(at), other.slice(at)];
  return (
    isWithin(left.slice(1), right.slice(1), slips - 1) ||
    isWithin(left.slice(1), right, slips - 1) ||
    isWithin(left, right.slice(1), slips - 1)
  );
}

/** Two neighbours in each other's place. */
function isSwapped(word: string, each: string): boolean {
  if (word.length !== each.length) return false;
  let at = 0;
  while (at < each.length && word[at] === each[at]) at += 1;
  return word[at] === each[at + 1] && word[at + 1] === each[at] && word.slice(at + 2) === each.slice(at + 2);
}
