import { piecesOf } from '../../expression/find.ts';
import { createRedactor } from '../redaction.ts';
import { isSecretWord, isUserInformationName, lastWordOf, withoutReferences } from './names.ts';

/*
 * What of a text is a secret whatever the field that it stands in is called. `secret-shapes.ts` of the tests' kit is the table of it, with what stays to be seen.
 */

/**
 * Whether a text is a secret in any field, also in one that a schema knows and does not mark: a URL with user information or with a parameter that
 * carries a key, a private key in PEM.
 */
export const isSecretByItself = (text: string): boolean =>
  holdsUserInformation(text) ||
  holdsSecretParameter(text) ||
  (text.includes('-----BEGIN') && privateKey.test(text));

const privateKey = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----/;

/**
 * The same of a text of which no schema knows what it is: it may be a line of a header (`Authorization: Bearer x`), JSON, YAML or XML with such
 * names, settings (`user=u;password=p`), several URLs, a token behind its scheme. Cost: one pass over texts with a colon, an equals sign or a scheme.
 */
export function isSecretText(text: string, name: string): boolean {
  if (isPairOfUser(text, name)) return true;
  if (proseNames.has(name) || !mayHold.test(text)) return false;
  const said = withoutReferences(text);
  return redactor.body(said) !== said;
}

const mayHold = /[:=<]|bearer|basic/i;

/** Texts for people, pictures, conditions and bodies, in which such names stand without a secret; `content` is that of a page. */
const proseNames: ReadonlySet<string> = new Set([
  'name',
  'description',
  'comment',
  'comments',
  'commentMessage',
  'title',
  'label',
  'labels',
  'summary',
  'picture',
  'background',
  'condition',
  'selectionRule',
  'generalConditions',
]);

/** Lines of headers have more names than fields: `cookie` alone is what a cookie is called. */
const redactor = createRedactor(['cookie', 'set-cookie'], isSecretWord);

/** Whether a text is a URL with user information in it: a password, or a token in the place of a name. Expressions in it are none. */
function holdsUserInformation(text: string): boolean {
  if (!text.includes('@')) return false;
  const url = withMarks(text)
    .replaceAll(/[\t\r\n]/g, '')
    .replaceAll('\\', '/')
    .trim();
  return userInformation.some((form) => isLiteral(form.exec(url)?.[1] ?? ''));
}

/** How it is written, also where it makes no URL that anybody takes: whoever wrote it meant a secret. */
const userInformation = [
  /^(?:[a-z][a-z0-9+.-]*:)*\/{2,}([^\s/?#]*)@/i,
  // A browser takes these with one slash, and with none.
  /^(?:https?|wss?|ftp|grpcs?|rediss?|socks[45]?h?):\/?([^\s/?#]*)@/i,
  // A password with a slash, a blank or a question mark in it; but no port with what follows it.
  /^(?:[a-z][a-z0-9+.-]*:)+\/{2,}([^\s/?#@:[]+:(?![\d\uE000]{0,5}(?:[/?#]|$))[^@]*)@/i,
  /^jdbc:(?:[a-z0-9]+:)+([^\s/?#@:]+\/[^\s?#@]+)@/i,
];

/** In the place of an expression. */
const mark = '\uE000';

const withMarks = (text: string): string =>
  piecesOf(text)
    .map((piece) => (piece.kind === 'text' ? piece.text : piece.isClosed ? mark : `{${piece.source}`))
    .join('');

/** A password that is written down; where there is none, a name that is. */
function isLiteral(information: string): boolean {
  const colon = information.indexOf(':');
  const password = colon === -1 ? '' : information.slice(colon + 1);
  const counts = password === '' ? information.replaceAll(':', '') : password;
  return counts.replaceAll(mark, '') !== '';
}

/** A URL of which a parameter's name says it: `https://host/?api_key=x`, `jdbc:postgresql://host/db?password=x`. */
function holdsSecretParameter(text: string): boolean {
  if (!text.includes('=') || !urlStart.test(text)) return false;
  const said = withoutReferences(text);
  return redactor.uri(said) !== said;
}

const urlStart = /^\s*(?:[a-z][a-z0-9+.-]*:)+[^\s]*[?;&]/i;

/** `user:password` where a name asks for one, and `user:password@host` without a scheme where a host is asked for. */
function isPairOfUser(text: string, name: string): boolean {
  if (!text.includes(':')) return false;
  const said = withMarks(text).trim();
  const found = (isUserInformationName(name) ? pair : beforeHost).exec(said);
  if (found === null || !isLiteral(found[1] ?? '')) return false;
  return isUserInformationName(name) || (hostNames.has(lastWordOf(name)) && !addressed.test(said));
}

const pair = /^([^\s:/]+:[^\s/].*)$/;
const beforeHost = /^([^\s/?#@:]+:[^\s/?#@]+)@[^\s@]/;
const addressed = /^(?:mailto|sips?|xmpp|acct|im|pres|cid|mid|npm|urn|tag):/i;

/** Last words of names of fields that say where somebody is. */
const hostNames: ReadonlySet<string> = new Set(
  'host hosts hostname server servers address addresses url urls uri endpoint endpoints broker brokers target proxy dsn connection node nodes origin location remote upstream'.split(
    ' ',
  ),
);

/** What every field may be asked, whether a schema knows it or not. */
export const isSecretHost = (text: string, name: string): boolean =>
  text.includes('@') && hostNames.has(lastWordOf(name)) && isPairOfUser(text, name);
