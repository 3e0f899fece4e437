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
    if (ofJson.length > 0 && isLikeJson(text)) shown = maskPlaces(text, ofJson);
    if (isLikeXml(text))
      for (const turn of xmlTurns) shown = shown === undefined ? undefined : maskXmlPlaces(shown, turn);
    if (shown === undefined || ofTexts.length === 0) return shown;
    const whole = isCut ? shown.slice(0, -cutTailCharsMax) : shown;
    return ofTexts.reduce((before, hide) => hide(before), whole);
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

const isLikeXml = (text: string): boolean => /^\s*</.test(text);

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
  return masked === value ? text : JSON.stringify(masked);
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
