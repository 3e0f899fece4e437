import { readPath, type Step } from '../../../proto/expression/json/json-path-reader.ts';
import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { patternOf } from '../../../proto/expression/patterns.ts';
import { readXmlPlace, type XmlPlace, xmlRanges } from '../../../proto/expression/xml/xml-place.ts';
import { namedPatterns } from './named-patterns.ts';

/**
 * What of a body is replaced: all at a path, what a pattern finds, or what it finds at a path.
 *
 * path: of JSON, or of XML where it begins with a slash. regex and named are never both there.
 */
export interface BodyRule {
  readonly path?: string | undefined;
  readonly regex?: string | undefined;
  readonly named?: keyof typeof namedPatterns | undefined;
  readonly replacer: string;
}

/** Applies rules to the text of a body; undefined when it may not be shown, since a rule cannot be applied to it. */
export type ApplyRules = (text: string, { isCut }: { readonly isCut: boolean }) => string | undefined;

/** JSON that is nested more deeply is masked from there on. */
const depthMax = 200;
const deepMask = '***';
/** What a pattern may not have found since the text was cut within it. */
const cutTailCharsMax = 256;

/** What becomes of a text in which something is looked for. */
type Hide = (text: string) => string;

/** What becomes of a value at a place: all of it is replaced, or what is found in its texts. */
type Change =
  | { readonly kind: 'all'; readonly replacer: string }
  | { readonly kind: 'found'; readonly hide: Hide };

/** Makes the function that applies rules which were judged when they were read: paths first, since what else is masked may leave no JSON. */
export function createBodyRules(rules: readonly BodyRule[]): ApplyRules {
  const ofJson: JsonPlace[] = [];
  const ofXml: XmlRule[] = [];
  const ofTexts: Hide[] = [];
  for (const rule of rules) {
    const { path, replacer } = rule;
    const hide = hideOf(rule);
    const change: Change = hide === undefined ? { kind: 'all', replacer } : { kind: 'found', hide };
    if (path === undefined) ofTexts.push(hide ?? (() => replacer));
    else if (path.startsWith('/')) ofXml.push({ place: readXmlPlace(path), change });
    else ofJson.push({ steps: readPath(path).steps, change });
  }
  // What is replaced whole goes at once; patterns then see what is left, each of them all of it.
  const xmlTurns = [
    ofXml.filter(({ change }) => change.kind === 'all'),
    ...ofXml.filter(({ change }) => change.kind === 'found').map((rule) => [rule]),
  ].filter((turn) => turn.length > 0);
  return (text, { isCut }) => {
    let shown: string | undefined = text;
    if (ofJson.length > 0)
      shown = isLikeJson(text) ? maskPlaces(text, ofJson) : maskLines(text, ofJson, isCut);
    if (xmlTurns.length > 0 && !isLikeXml(text) && holdsXml(text)) return undefined;
    if (isLikeXml(text))
      for (const turn of xmlTurns) shown = shown === undefined ? undefined : maskXmlPlaces(shown, turn);
    if (shown === undefined || ofTexts.length === 0) return shown;
    const whole = isCut ? shown.slice(0, -cutTailCharsMax) : shown;
    return ofTexts.reduce((before, hide) => inOtherSpelling(hide(before), hide), whole);
  };
}

/** Undefined of a rule that replaces all. */
function hideOf({ regex, named, replacer }: BodyRule): Hide | undefined {
  // A function: in a text `$1` would mean a group.
  if (regex !== undefined)
    return (text) =>
      patternOf(regex)
        .matcher(text)
        .replaceAll(() => replacer);
  return named === undefined ? undefined : (text) => namedPatterns[named](text, replacer);
}

/** What is found once a text is read as those do whom it is for: a slash or a letter may be escaped in JSON, most of them in a form. */
function inOtherSpelling(text: string, hide: Hide): string {
  if (isLikeJson(text) && /\\[u/]/.test(text))
    return maskPlaces(text, [{ steps: [], change: { kind: 'found', hide } }]) ?? text;
  if (!isLikeForm(text)) return text;
  const parts = text.split(/([&=])/).map((part) => {
    const plain = /[%+]/.test(part) ? decoded(part.replaceAll('+', ' ')) : undefined;
    const hidden = plain === undefined ? undefined : hide(plain);
    return hidden === undefined || hidden === plain ? part : hidden;
  });
  return parts.join('');
}

const isLikeForm = (text: string): boolean => /^[^\s=&<>{}"]+=\S*$/.test(text);

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const isLikeXml = (text: string): boolean => /^\s*</.test(text);

/** Elements that stand in something else: in parts of a message, in events, URL-encoded in a form. In JSON they are texts. */
const holdsXml = (text: string): boolean =>
  !isLikeJson(text) && /^(?:data:)?[ \t]*<[?!:_\p{L}]|(?:<|%3c)(?:\/|%2f)[:_\p{L}]/imu.test(text);

interface XmlRule {
  readonly place: XmlPlace;
  readonly change: Change;
}

/** Undefined for what cannot be read. */
function maskXmlPlaces(text: string, rules: readonly XmlRule[]): string | undefined {
  const found = xmlRanges(
    text,
    rules.map(({ place }) => place),
  );
  if (found === undefined) return undefined;
  const ranges = rules
    .flatMap(({ change }, index) => (found[index] ?? []).map((range) => ({ ...range, change })))
    .toSorted((one, other) => one.start - other.start || other.end - one.end);
  let shown = '';
  let copied = 0;
  for (const { start, end, change } of ranges) {
    // What stands in another one goes with it.
    if (start < copied || start === end) continue;
    const value = text.slice(start, end);
    shown += text.slice(copied, start) + (change.kind === 'all' ? change.replacer : change.hide(value));
    copied = end;
  }
  return shown + text.slice(copied);
}

interface JsonPlace {
  readonly steps: readonly Step[];
  readonly change: Change;
}

/**
 * Masks JSON that stands line by line in something else: events of a stream, parts of a form. Undefined where what looks like it cannot be
 * read: members behind or beside other text, a guard against scripts (`f(...)`). The last line of what was cut is left out.
 */
function maskLines(text: string, places: readonly JsonPlace[], isCut: boolean): string | undefined {
  // Of a sequence of JSON texts (RFC 7464).
  if (text.startsWith('\u001E') || guarded.test(text)) return undefined;
  const lines = text.split(/(\r\n|\r|\n)/);
  if (isCut && lines.length > 1) lines.pop();
  const masked: string[] = [];
  const unread: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\s*(?:data:)?\s*)(.*)$/s.exec(line) ?? [];
    const shown = /^[{[]/.test(value) ? maskPlaces(value, places) : undefined;
    if (shown === undefined && (value.startsWith('{') || listed.test(value))) return undefined;
    masked.push(name, shown ?? value);
    unread.push(shown === undefined ? line : '{}');
  }
  return member.test(unread.join('')) ? undefined : masked.join('');
}

/** A member of an object, of which nobody knows at which path it stands; URL-encoded in a form. */
const member = /(?:"|%22)(?:\s|\+|%20|%0[9ad])*(?::|%3a)/i;

/** A script that calls somebody with a list. */
const guarded =
  /^\s*(?:\/\*\*\/\s*)?(?:[)\]}',;&]+|while|for|throw|[\w$.]{1,128}\s*\()[^\n{[]{0,32}\s*(?:\{|\[\s*[[{"])/;
/** A list of JSON that is broken, unlike `[INFO]`. */
const listed = /^\[.*?[[{,]\s*["{[]|^\[\s*["{[]/s;

const isLikeJson = (text: string): boolean => /^\s*[[{"]/.test(text);

/** Undefined for what cannot be read. What nothing was replaced in stays as it was written. */
function maskPlaces(text: string, places: readonly JsonPlace[]): string | undefined {
  let value: unknown;
  if (isNestedDeeper(text)) return undefined;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const masked = places.reduce(
    (before, { steps, change }) => replaced(before, { steps, at: 0, depth: 0 }, change),
    value,
  );
  // Of two members of one name only the last was looked at.
  return masked === value && membersIn(text) === membersOf(value) ? text : JSON.stringify(masked);
}

/** Members that a text of JSON writes: outside of its texts a colon is nothing else. */
const membersIn = (text: string): number => text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '').split(':').length - 1;

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside: readonly unknown[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : inside.length;
  return inside.reduce<number>((sum, each) => sum + membersOf(each), own);
}

interface Walk {
  readonly steps: readonly Step[];
  /** The step that comes next. */
  readonly at: number;
  readonly depth: number;
}

/** The same value when nothing in it was replaced. */
function replaced(value: unknown, walk: Walk, change: Change): unknown {
  const { steps, at, depth } = walk;
  const step = steps[at];
  if (step === undefined) return changedWhole(value, change, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthMax) return deepMask;
  const next = { steps, at: at + 1, depth: depth + 1 };
  if (step.kind === 'deep') {
    // Here, or anywhere below.
    const here = replaced(value, { ...next, depth }, change);
    return eachOf(
      here,
      () => true,
      (inner) => replaced(inner, { steps, at, depth: depth + 1 }, change),
    );
  }
  return eachOf(
    value,
    (key) => isNamed(step, key, value),
    (inner) => replaced(inner, next, change),
  );
}

/** The value at a place: as a whole where all of it is replaced, else each text and number in it. */
function changedWhole(value: unknown, change: Change, depth: number): unknown {
  if (change.kind === 'all') return change.replacer;
  if (typeof value !== 'object' || value === null) {
    const text = String(value);
    const shown = change.hide(text);
    return shown === text ? value : shown;
  }
  if (depth > depthMax) return deepMask;
  return eachOf(
    value,
    () => true,
    (inner) => changedWhole(inner, change, depth + 1),
  );
}

function isNamed(step: Step, key: string | number, holder: object): boolean {
  if (step.kind === 'every') return true;
  if (step.kind === 'names') return typeof key === 'string' && step.names.includes(key);
  const length = Array.isArray(holder) ? holder.length : 0;
  return (
    step.kind === 'items' &&
    typeof key === 'number' &&
    step.items.some((item) => (item < 0 ? item + length : item) === key)
  );
}

/** A holder whose chosen parts were changed; the same one when none was. */
function eachOf(
  holder: unknown,
  isChosen: (key: string | number) => boolean,
  change: (inner: unknown) => unknown,
): unknown {
  if (typeof holder !== 'object' || holder === null) return holder;
  let isChanged = false;
  const changed = (key: string | number, inner: unknown): unknown => {
    const now = isChosen(key) ? change(inner) : inner;
    isChanged ||= now !== inner;
    return now;
  };
  const made = Array.isArray(holder)
    ? holder.map((inner: unknown, index) => changed(index, inner))
    : Object.fromEntries(Object.entries(holder).map(([key, inner]) => [key, changed(key, inner)]));
  return isChanged ? made : holder;
}
