import { isDeepStrictEqual } from 'node:util';

import { isNestedDeeper } from '../../../proto/expression/json/levels.ts';
import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';

/** One step of a JSON Patch (RFC 6902). */
type Step =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Characters of the patch of one row of the audit; of a longer one the values are left out. */
export const patchCharsMax = 65_536;
const stepsMax = 1_000;

/**
 * What was changed, as a JSON Patch that leads from before to after; undefined when nothing was.
 *
 * JSON in texts of rows is compared field by field, lists as a whole; of a text that differs in its spaces alone the whole is told. Secrets are masked: that one changed is shown, what it is is not. Where
 * the patch is long, `value` is '...' and only the places are told.
 */
export function differenceOf(before: unknown, after: unknown): string | undefined {
  const steps: Step[] = [];
  compare({ before: opened(before), after: opened(after), path: '' }, steps);
  respelt(before, after, steps);
  if (steps.length === 0) return undefined;
  const text = JSON.stringify(maskSealed(steps.slice(0, stepsMax)));
  if (text.length <= patchCharsMax) return text;
  const places = steps.slice(0, stepsMax).map((step) => ({ ...step, value: '...' }));
  const short = JSON.stringify(places);
  return short.length <= patchCharsMax ? short : JSON.stringify([{ op: 'replace', path: '', value: '...' }]);
}

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
  readonly path: string;
}

function compare({ before, after, path }: Pair, steps: Step[]): void {
  if (steps.length > stepsMax) return;
  if (isFields(before) && isFields(after)) {
    const olds = new Map(Object.entries(before));
    const news = new Map(Object.entries(after));
    for (const name of new Set([...olds.keys(), ...news.keys()]))
      compare({ before: olds.get(name), after: news.get(name), path: `${path}/${pointed(name)}` }, steps);
    return;
  }
  if (before === undefined && after === undefined) return;
  if (before === undefined) steps.push({ op: 'add', path, value: after });
  else if (after === undefined) steps.push({ op: 'remove', path });
  else if (!isDeepStrictEqual(before, after)) steps.push({ op: 'replace', path, value: after });
}

/** Texts that say the same as JSON and are written otherwise: a person's own text, which only looks like JSON, has changed. */
function respelt(before: unknown, after: unknown, steps: Step[]): void {
  if (!isFields(before) || !isFields(after)) return;
  const olds = new Map(Object.entries(before));
  for (const [name, text] of Object.entries(after) as [string, unknown][]) {
    const old: unknown = olds.get(name);
    if (untold.has(name) || typeof text !== 'string' || typeof old !== 'string' || old === text) continue;
    const said = openedText(text);
    if (!isDeepStrictEqual(openedText(old), said)) continue;
    // A secret is sealed in JSON and found by its field there; as a text it would not be masked.
    const value = isDeepStrictEqual(maskSealed(said), said) ? text : said;
    steps.push({ op: 'replace', path: `/${pointed(name)}`, value });
  }
}

const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pointed = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What every change changes, what only repeats another field, and what would help to guess a secret. */
const untold = new Set(['updated_at_ms', 'name_key', 'hash', 'token_hash', 'password_hash']);

/** A row with the JSON in its texts. */
function opened(row: unknown): unknown {
  if (!isFields(row)) return row;
  const fields = Object.entries(row).flatMap(([name, value]) => {
    if (untold.has(name) || value === undefined) return [];
    return [[name, openedText(value)] as const];
  });
  return Object.fromEntries(new Map(fields));
}

/**
 * What a column holds; where that is the text of an object or a list, what it says. Somebody's own text, e.g. of a page, may be JSON that is
 * nested more deeply than what reads it has stack for: that stays a text.
 */
export function openedText(text: unknown): unknown {
  if (typeof text !== 'string' || !/^[[{]/.test(text) || isNestedDeeper(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
