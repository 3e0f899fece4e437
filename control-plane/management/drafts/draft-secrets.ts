import { namedValues } from '../../../proto/model/api/named-secrets.ts';
import { allSecretFields, secretFields } from '../../../proto/model/secrets/fields.ts';
import { isNearSecretName, isReference, isSecretHeader } from '../../../proto/model/secrets/names.ts';
import { mapSecrets } from '../../../proto/model/secrets/places.ts';
import { isSecretByItself, isSecretText } from '../../../proto/model/secrets/texts.ts';
import { parseJson } from '../../../proto/process/json-text.ts';
import { isMask } from '../../../proto/trust/sealed-text.ts';
import { firstUnkeepable } from '../keepable.ts';

/*
 * Where secrets stand in a draft, which is a text that need not be valid: what is JSON is read as a definition is, with all that fields and
 * names say; of any other text the names count that stand before a colon or an equals sign, pairs of name and value, and URLs.
 */

/** Where one stands: from the first letter of its value to behind the last, in order and apart from each other. */
export interface SecretRange {
  readonly start: number;
  readonly end: number;
  /** It is no text, or none in quotes where JSON wants them: what stands in its place needs quotes of its own. */
  readonly isBare: boolean;
}

/** The secrets of a draft; masks are none. */
export function secretsIn(content: string): readonly SecretRange[] {
  const apart: SecretRange[] = [];
  for (const range of (jsonSecrets(content) ?? textSecrets(content)).toSorted((a, b) => a.start - b.start)) {
    const isInside = range.start < (apart.at(-1)?.end ?? 0);
    if (range.start < range.end && !isInside && !isMask(content.slice(range.start, range.end)))
      apart.push(range);
  }
  return apart;
}

/** Undefined for what no deployment takes: no JSON, a name twice in an object, nested too deeply. */
function jsonSecrets(content: string): readonly SecretRange[] | undefined {
  const values = new Set<string>();
  try {
    const value = parseJson(content);
    if (firstUnkeepable(value) !== undefined) return undefined;
    mapSecrets(value, (text, { path }) => {
      values.add(path);
      return text;
    });
  } catch {
    return undefined;
  }
  const found = valuesIn(content);
  const paths = new Set(found.map(({ path }) => path));
  // A configuration may be a text itself, with JSON in it: then all of it is one.
  const holders = new Set([...values].map((path) => holderOf(path, paths)));
  return found.filter(({ path }) => holders.has(path));
}

function holderOf(path: string, paths: ReadonlySet<string>): string {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), at.lastIndexOf('['), 0)))
    if (paths.has(at)) return at;
  return path;
}

const token = /"((?:[^"\\]|\\.)*)"|[{}[\],:]|-?\d[\w.+-]*/g;

interface Level {
  readonly path: string;
  /** Of the next item of a list; undefined in an object. */
  index: number | undefined;
  key: string | undefined;
}

/** Every text and number in valid JSON that is a value, by its path, as faults name it. */
function valuesIn(json: string): readonly (SecretRange & { readonly path: string })[] {
  const found: (SecretRange & { readonly path: string })[] = [];
  const levels: Level[] = [];
  for (const match of json.matchAll(token)) {
    const level = levels.at(-1);
    const [whole, inside] = match;
    const path = level === undefined ? '' : pathIn(level);
    const end = match.index + whole.length;
    if (whole === '{' || whole === '[')
      levels.push({ path, index: whole === '[' ? 0 : undefined, key: undefined });
    else if (whole === '}' || whole === ']') levels.pop();
    else if (whole === ',') {
      if (level?.index !== undefined) level.index += 1;
      if (level !== undefined) level.key = undefined;
    } else if (inside !== undefined && level?.index === undefined && level?.key === undefined) {
      if (level !== undefined) level.key = JSON.parse(whole) as string;
    } else if (inside !== undefined)
      found.push({ path, start: match.index + 1, end: end - 1, isBare: false });
    else if (whole !== ':') found.push({ path, start: match.index, end, isBare: true });
  }
  return found;
}

function pathIn({ path, index, key }: Level): string {
  if (index !== undefined) return `${path}[${index}]`;
  return path === '' ? (key ?? '') : `${path}.${key ?? ''}`;
}

/** Names of marked fields that say of themselves that they are secrets, also where nothing around them can be read. */
const own = allSecretFields(secretFields)
  .flatMap(({ path }) => path.at(-1) ?? [])
  .filter((name) => !['value', 'content', '*', '[]'].includes(name));
/** Of a text, to the end of its line: `token = x`. */
const setting = /^[ \t]*['"]?([\w.-]{1,200})['"]?[ \t]*=[ \t]*([^\n\r]+)/dgm;
const url = /\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s/?#@"'`<>]+@[^\s"'`<>]*/gi;
/** In no JSON a name in quotes may hold what no other may. */
const quoted = /"((?:[^"\\\n]|\\.){0,200})"\s*:\s*"((?:[^"\\]|\\.)*)/dg;

function textSecrets(content: string): readonly SecretRange[] {
  const judged = new Map<string, boolean>();
  const isSecretWord = (name: string): boolean => {
    const known = judged.get(name) ?? (isSecretHeader(name) || isNearSecretName(name, own));
    judged.set(name, known);
    return known;
  };
  const isSecret = (name: string, at: number): boolean =>
    (isSecretWord(name) && !isErrorKey(content, name, at)) ||
    (valueName.test(name) && isValueOfSecret(content, at));
  const byName = namedValues(content, isSecret).map(({ start, end }) => unquoted(content, start, end));
  const pairs = [...content.matchAll(quoted), ...content.matchAll(setting)].flatMap(
    ({ 1: name = '', indices }) => {
      const [start, end] = indices?.[2] ?? [0, 0];
      return isSecretWord(name) ? [unquoted(content, start, end)] : [];
    },
  );
  const urls = [...content.matchAll(url)].map(({ 0: text, index }) => ({
    start: index,
    end: index + text.length,
    isBare: false,
  }));
  const found = [...byName, ...pairs, ...urls];
  // The widest first where several begin together.
  return [...found, ...sayingSecrets(content, found)]
    .filter(({ start, end }) => !isReference(content.slice(start, end)))
    .toSorted((a, b) => b.end - a.end);
}

/** `value`, `headerValue`, `Value`. */
const valueName = /^(?:[a-z]+_?)?value$/i;

/** A line of YAML, or of JSON that is none: a name, if it has one, and a value in quotes or not. */
const line = /^[ \t]*(?:- +)*(?:(["']?)([\w.-]{1,200})\1[ \t]*:[ \t]+)?(.*\S)/dgm;

/**
 * What of lines is a secret by what it says itself, whatever it is called: `url: jdbc:...?password=x`, `- https:user:x@host`. Where a part of
 * one is `found` already, that is it.
 */
function sayingSecrets(content: string, found: readonly SecretRange[]): readonly SecretRange[] {
  const starts = new Set(found.map(({ start }) => start));
  const isFound = ({ start, end }: SecretRange): boolean => {
    for (let at = start; at < end; at += 1) if (starts.has(at)) return true;
    return false;
  };
  return [...content.matchAll(line)].flatMap(({ 2: name = '', 3: rest = '', indices }) => {
    const [start = 0] = indices?.[3] ?? [];
    const range = unquoted(content, start, start + rest.replace(/,$/, '').length);
    const value = content.slice(range.start, range.end);
    const isNamed = name !== '' && isSecretText(value, name);
    return (isNamed || isSecretByItself(value)) && !isFound(range) ? [range] : [];
  });
}

/** Whether response templates stand behind it: `"OAUTH2_INVALID_ACCESS_TOKEN": { ... }`. */
const isErrorKey = (content: string, name: string, at: number): boolean =>
  /^[A-Z0-9]+_[A-Z0-9_]+$/.test(name) &&
  /^.?["']?[ \t]{0,9}:\s{0,9}\{/s.test(content.slice(at + name.length, at + name.length + 24));

/** Letters around a value in which the name of its header, or that it is encrypted, is looked for. */
const aroundMax = 300;
const nameBefore = /(?:name|key)["']?[ \t]*[:=]\s*["']?([\w.-]+)["']?[ \t]*,?\s*["']?$/i;
const nameAfter = /^[^{}]*?["'\s](?:name|key)["']?[ \t]*[:=]\s*["']?([\w.-]+)/i;
const encryptedAfter = /^[^{}]*?["'\s]encrypt(?:ed|able)["']?[ \t]*[:=]\s*["']?[ty]/i;

/** Whether a `value` stands beside a name of a secret header, or beside the mark of an encrypted property. */
function isValueOfSecret(content: string, at: number): boolean {
  const before = nameBefore.exec(content.slice(Math.max(0, at - aroundMax), at).trimEnd())?.[1];
  const after = content.slice(at + 'value'.length, at + aroundMax).split(/\n\s*-\s/, 1)[0] ?? '';
  const names = [before, nameAfter.exec(after)?.[1]].filter((name) => name !== undefined);
  return names.some(isSecretHeader) || encryptedAfter.test(after);
}

/** Without the quotes around it; what is an object or a list needs some in its place. */
function unquoted(content: string, start: number, end: number): SecretRange {
  const [first, last] = [content.charAt(start), content.charAt(end - 1)];
  if (first === '"' || first === "'") {
    const isClosed = end - start > 1 && last === first;
    return { start: start + 1, end: isClosed ? end - 1 : end, isBare: false };
  }
  const isBare = first === '{' || first === '[';
  return { start, end: isBare ? end : start + content.slice(start, end).trimEnd().length, isBare };
}
