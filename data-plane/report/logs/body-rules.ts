import { EvaluationFailure } from '../../../proto/expression/failure.ts';
import { readPath, type Step } from '../../../proto/expression/json/json-path-reader.ts';
import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { patternOf } from '../../../proto/expression/patterns.ts';

/** What of a body is replaced; exactly one of path and regex. */
export interface BodyRule {
  readonly path?: string | undefined;
  readonly regex?: string | undefined;
  readonly replacer: string;
}

/** Applies the rules of a gateway to the text of a body; undefined when it may not be shown, since a rule cannot be applied to it. */
export type ApplyRules = (text: string, { isCut }: { readonly isCut: boolean }) => string | undefined;

/** JSON that is nested more deeply is masked from there on. */
const depthMax = 200;
/** What a pattern may not have found since the text was cut within it. */
const cutTailCharsMax = 256;

const kinds: ReadonlySet<Step['kind']> = new Set(['names', 'items', 'every', 'deep']);

/** Why a path names no places that a rule could replace; undefined when it does. */
export function jsonPlaceFault(path: string): string | undefined {
  try {
    const { steps } = readPath(path);
    if (steps.length === 0 || steps.some(({ kind }) => !kinds.has(kind)))
      return 'names no place by members alone; allowed: $.a.b, $..a, $.a[*].b, $.a[0]';
    return steps.filter(({ kind }) => kind === 'deep').length > 1 ? 'has more than one ..' : undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.message;
    throw error;
  }
}

/** Makes the function that applies rules which were judged when the settings were read. */
export function createBodyRules(rules: readonly BodyRule[]): ApplyRules {
  const places = rules.flatMap(({ path, replacer }) =>
    path === undefined ? [] : [{ steps: readPath(path).steps, replacer }],
  );
  const patterns = rules.flatMap(({ regex, replacer }) => (regex === undefined ? [] : [{ regex, replacer }]));
  return (text, { isCut }) => {
    let shown = text;
    if (places.length > 0 && isLikeJson(text)) {
      const masked = maskPlaces(text, places);
      if (masked === undefined) return undefined;
      shown = masked;
    }
    if (patterns.length === 0) return shown;
    if (isCut) shown = shown.slice(0, -cutTailCharsMax);
    for (const { regex, replacer } of patterns)
      // A function: in a text `$1` would mean a group.
      shown = patternOf(regex)
        .matcher(shown)
        .replaceAll(() => replacer);
    return shown;
  };
}

interface JsonPlace {
  readonly steps: readonly Step[];
  readonly replacer: string;
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
    (before, { steps, replacer }) => replaced(before, { steps, at: 0, depth: 0 }, replacer),
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
function replaced(value: unknown, walk: Walk, replacer: string): unknown {
  const { steps, at, depth } = walk;
  const step = steps[at];
  if (step === undefined) return replacer;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthMax) return replacer;
  const next = { steps, at: at + 1, depth: depth + 1 };
  if (step.kind === 'deep') {
    // Here, or anywhere below.
    const here = replaced(value, { ...next, depth }, replacer);
    return eachOf(
      here,
      () => true,
      (inner) => replaced(inner, { steps, at, depth: depth + 1 }, replacer),
    );
  }
  return eachOf(
    value,
    (key) => isNamed(step, key, value),
    (inner) => replaced(inner, next, replacer),
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
