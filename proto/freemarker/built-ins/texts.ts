import { fail } from '../../expression/failure.ts';
import { eachMatch, replaceMatches, splitBy } from '../../expression/patterns.ts';
import { readOnce, spend } from '../../expression/work.ts';
import { decimalOf } from '../decimals.ts';
import { escaped } from '../escapes.ts';
import { type Match, type Value, valueOfJson } from '../values.ts';
import { type Args, asIndex, asText, count, ofText, ofValue } from './built-in.ts';

const textCharsMax = 1_000_000;

/** Bounds a text that is made, before it is made. */
function affordable(chars: number): void {
  if (chars > textCharsMax) fail(`a text becomes longer than ${textCharsMax} characters`);
  spend((chars >> 4) + 1);
}

const text = (args: Args, index = 0): string => asText(args[index]);
const letters = /\S+/g;
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Up to the first or the last place of a text, or from there on. */
const kept = (
  name: string,
  cut: (of: string, separator: string) => number,
  side: (of: string, at: number, separator: string) => string,
) =>
  ofText(
    name,
    (of, args) => {
      const separator = text(args);
      const at = cut(of, separator);
      return at === -1 ? (name.startsWith('keep_before') ? of : '') : side(of, at, separator);
    },
    [1, 2],
  );
const first = (of: string, separator: string): number => of.indexOf(separator);
const last = (of: string, separator: string): number => of.lastIndexOf(separator);
const before = (of: string, at: number): string => of.slice(0, at);
const after = (of: string, at: number, separator: string): string => of.slice(at + separator.length);

function padded(of: string, args: Args, side: 'left' | 'right'): string {
  const width = asIndex(args[0]);
  const filling = args.length > 1 ? text(args, 1) : ' ';
  affordable(width);
  if (filling === '') return fail('what a text is filled with is empty');
  if (side === 'left') return of.padStart(width, filling);
  // What fills on the right goes on as if it had begun with the text.
  return of + ''.padEnd(Math.max(width, of.length), filling).slice(of.length);
}

/** Letters behind a pattern: `r` it is one, `i` whatever the case, `f` the first alone. */
function flags(args: Args, index: number): string {
  const given = args.length > index ? text(args, index) : '';
  return /^[rifmsc]*$/.test(given)
    ? given
    : fail(`the flags ${JSON.stringify(given)} are not known; there are r, i, f, m, s and c`);
}

/** A pattern of Java's with its flags. */
const patterned = (pattern: string, given: string): string => {
  const inner = given.replaceAll(/[^ims]/g, '');
  return inner === '' ? pattern : `(?${inner})${pattern}`;
};
const quoted = (plain: string): string => plain.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');

function replaced(of: string, args: Args): string {
  const [what, by, given] = [text(args), text(args, 1), flags(args, 2)];
  if (given.includes('r') || given.includes('i'))
    return replaceMatches(of, {
      pattern: patterned(given.includes('r') ? what : quoted(what), given),
      by: given.includes('r') ? by : by.replaceAll(/[\\$]/g, '\\$&'),
      which: given.includes('f') ? 'first' : 'all',
    });
  spend(of.length * 4);
  affordable(
    what === '' ? of.length * (by.length + 1) : (of.length / what.length + 1) * (by.length + 1) + of.length,
  );
  return given.includes('f') ? of.replace(what, () => by) : of.replaceAll(what, () => by);
}

function parts(of: string, args: Args): readonly string[] {
  const [separator, given] = [text(args), flags(args, 1)];
  if (given.includes('r') || given.includes('i'))
    return splitBy(of, patterned(given.includes('r') ? separator : quoted(separator), given), -1);
  spend(of.length * 2);
  return of.split(separator);
}

function matched(of: string, args: Args): Value {
  const pattern = patterned(text(args), flags(args, 1));
  spend(100);
  const items: Match[] = [];
  let whole: readonly string[] | undefined;
  eachMatch(of, pattern, (match) => {
    spend(20);
    const groups = Array.from({ length: match.groupCount() + 1 }, (_, at) => match.group(at) ?? '');
    items.push({ kind: 'match', text: groups[0] ?? '', groups });
    return items.length < 10_000;
  });
  eachMatch(of, `(?:${pattern})$`, (match) => {
    if (match.start() === 0 && match.end() === of.length)
      whole = Array.from({ length: match.groupCount() + 1 }, (_, at) => match.group(at) ?? '');
    return false;
  });
  return { kind: 'matches', isWhole: whole !== undefined, groups: whole ?? [], items };
}

const affix = (name: string, run: (of: string, what: string) => string) =>
  ofText(name, (of, args) => run(of, text(args)), 1);

/** Of texts; numbers and dates are written first, as FreeMarker does. */
export const textBuiltIns = [
  ofText('upper_case', (of) => of.toUpperCase()),
  ofText('lower_case', (of) => of.toLowerCase()),
  ofText('cap_first', (of) => of.replace(/\S/, (letter) => letter.toUpperCase())),
  ofText('uncap_first', (of) => of.replace(/\S/, (letter) => letter.toLowerCase())),
  ofText('capitalize', (of) => {
    spend(of.length * 6);
    return of.replaceAll(letters, (word) => capital(word.toLowerCase()));
  }),
  ofText('trim', (of) => of.trim()),
  ofText('chop_linebreak', (of) => of.replace(/\r?\n$|\r$/, '')),
  ofText('length', (of) => count(of.length)),
  ofText('word_list', (of) => {
    spend(of.length * 6);
    return of.match(letters) ?? [];
  }),
  ofText('contains', (of, args) => of.includes(text(args)), 1),
  ofText('starts_with', (of, args) => of.startsWith(text(args)), 1),
  ofText('ends_with', (of, args) => of.endsWith(text(args)), 1),
  ofText(
    'index_of',
    (of, args) => count(of.indexOf(text(args), args.length > 1 ? asIndex(args[1]) : 0)),
    [1, 2],
  ),
  ofText(
    'last_index_of',
    (of, args) => count(of.lastIndexOf(text(args), args.length > 1 ? asIndex(args[1]) : of.length)),
    [1, 2],
  ),
  ofText(
    'substring',
    (of, args) => {
      const [from, to] = [asIndex(args[0]), args.length > 1 ? asIndex(args[1]) : of.length];
      return from < 0 || to > of.length || from > to
        ? fail(`a text of ${of.length} characters has no part from ${from} to ${to}`)
        : of.slice(from, to);
    },
    [1, 2],
  ),
  ofText('left_pad', (of, args) => padded(of, args, 'left'), [1, 2]),
  ofText('right_pad', (of, args) => padded(of, args, 'right'), [1, 2]),
  ofText('replace', replaced, [2, 3]),
  ofText('split', parts, [1, 2]),
  ofText('matches', matched, [1, 2]),
  kept('keep_before', first, before),
  kept('keep_before_last', last, before),
  kept('keep_after', first, after),
  kept('keep_after_last', last, after),
  affix('remove_beginning', (of, what) => (of.startsWith(what) ? of.slice(what.length) : of)),
  affix('remove_ending', (of, what) => (of.endsWith(what) ? of.slice(0, of.length - what.length) : of)),
  affix('ensure_starts_with', (of, what) => (of.startsWith(what) ? of : what + of)),
  affix('ensure_ends_with', (of, what) => (of.endsWith(what) ? of : of + what)),
  ...(['html', 'xhtml', 'xml', 'json_string', 'js_string', 'j_string'] as const).map((how) =>
    ofText(how, (of) => {
      affordable(of.length * 2);
      const made = escaped(of, how);
      // What is escaped costs most.
      spend(30 + (made.length - of.length) * 6);
      return made;
    }),
  ),
  ofText('url', (of) => escaped(of, 'url'), [0, 1]),
  ofText('url_path', (of) => escaped(of, 'url_path'), [0, 1]),
  ofText('boolean', (of) =>
    of === 'true' ? true : of === 'false' ? false : fail(`${JSON.stringify(of.slice(0, 80))} is no boolean`),
  ),
  ofValue('number', (of, _, tools) => {
    if (typeof of === 'object' && !Array.isArray(of) && 'toFixed' in of) return of;
    const written = tools.text(of);
    return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/.test(written)
      ? decimalOf(written)
      : fail(`${JSON.stringify(written.slice(0, 80))} is no number`);
  }),
  ofText('eval_json', (of) => readOnce({ text: of, as: 'JSON of a template' }, valueOfJson)),
  ofText('eval', (of, _, tools) =>
    readOnce({ text: of, as: 'a literal of a template' }, (text) => tools.literal(text)),
  ),
  ofValue('groups', (of) => {
    if (typeof of === 'object' && 'groups' in of) return of.groups;
    return fail('only what ?matches found has groups');
  }),
  ofText('trim_to_null', (of) => (of.trim() === '' ? undefined : of.trim())),
  ofText('blank_to_null', (of) => (of.trim() === '' ? undefined : of)),
  ofText('empty_to_null', (of) => (of === '' ? undefined : of)),
] as const;
