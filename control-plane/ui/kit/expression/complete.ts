import type { Schemas } from '../../api/management.generated.ts';

/** All that can be written in an expression, as the management API tells it. */
export interface Vocabulary {
  readonly roots: Schemas['ExpressionRoots'];
  readonly words: Schemas['ExpressionWords'];
}

/** Something that can stand where the caret is. */
export interface Offer {
  readonly name: string;
  readonly about: string;
  /** What is written for it, behind what stays. */
  readonly text: string;
  /** How far in front of the end of what was written the caret stands then. */
  readonly back: number;
}

/** What can stand in place of the characters from `from` to the caret. */
export interface Offered {
  readonly from: number;
  readonly offers: readonly Offer[];
}

/** As what a text is read: in a rule the braces may be left out. */
export type ExpressionKind = Schemas['ExpressionCheck']['kind'];

/** Most that are offered at once; whoever wants others types on. */
const offersMax = 60;
const none: Offered = { from: 0, offers: [] };

/** Offers what can stand at the caret of a text that may hold expressions; nothing outside of one. */
export function offersAt(
  { text, at, kind }: { readonly text: string; readonly at: number; readonly kind: ExpressionKind },
  known: Vocabulary,
): Offered {
  const before = text.slice(0, at);
  const source = openExpression(before, kind);
  if (source === undefined) return none;
  if (isInText(source)) return keysAt(source, { at, after: text.slice(at), known });
  const typed = /\w*$/.exec(source)?.[0] ?? '';
  const from = at - typed.length;
  const front = source.slice(0, source.length - typed.length);
  if (front.endsWith('#')) return narrowed({ from, typed }, rootsOf(known, { kind }));
  const type = /T\(([\w.]*)$/.exec(source)?.[1];
  if (type !== undefined)
    return narrowed({ from: at - type.length, typed: type }, typesOf(known, text.slice(at)));
  if (front.endsWith('.')) return narrowed({ from, typed }, membersOf(front.replace(/\??\.$/, ''), known));
  const isBegin = front.trim() === '' || /[([,=<>!&|?:+*/]\s*$/.test(front);
  if (!isBegin || typed !== '') return none;
  return narrowed({ from, typed }, rootsOf(known, { kind, mark: '#' }));
}

/** What stands between the brace that is open and the caret; undefined outside of expressions. */
function openExpression(before: string, kind: ExpressionKind): string | undefined {
  if (kind === 'SELECTION_RULE' && /^\s*#/.test(before)) return before;
  // In texts a brace alone is a brace: JSON is full of them.
  const begins = kind === 'TEMPLATE' ? /\{(?=[#(]|T\()/g : /\{/g;
  for (const { index } of before.matchAll(begins)) {
    const source = before.slice(index + 1);
    if (!isClosed(source)) return source;
  }
  return undefined;
}

/** Whether the brace of an expression is closed in what stands behind it. */
function isClosed(source: string): boolean {
  let [depth, quote] = [1, ''];
  for (const sign of source) {
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === "'" || sign === '"') quote = sign;
    else if (sign === '{') depth += 1;
    else if (sign === '}') depth -= 1;
    if (depth === 0) return true;
  }
  return false;
}

function isInText(source: string): boolean {
  let quote = '';
  for (const sign of source) {
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === "'" || sign === '"') quote = sign;
  }
  return quote !== '';
}

/** Names of attributes, where one is asked for. */
function keysAt(
  source: string,
  { at, after, known }: { readonly at: number; readonly after: string; readonly known: Vocabulary },
): Offered {
  const typed = /#context\.attributes(?:\??\.get\(|\[)['"]([\w.-]*)$/.exec(source)?.[1];
  if (typed === undefined) return none;
  const quote = source.at(-typed.length - 1) ?? "'";
  const close = source.at(-typed.length - 2) === '(' ? ')' : ']';
  const end = after.startsWith(quote) ? '' : `${quote}${close}`;
  return narrowed(
    { from: at - typed.length, typed },
    Object.entries(known.words.attributes).map(([name, about]) => ({
      name,
      about,
      text: `${name}${end}`,
      back: 0,
    })),
  );
}

/** Those that are known in one place stand last; a condition knows none of them. */
const rootsOf = (
  { roots, words }: Vocabulary,
  { kind, mark = '' }: { readonly kind: ExpressionKind; readonly mark?: string },
): readonly Offer[] =>
  [
    ...roots.filter(({ place }) => place === undefined),
    ...roots.filter(({ place }) => place !== undefined && kind === 'TEMPLATE'),
  ].map(({ name, isFunction, place }) => ({
    name: `#${name}`,
    about: isFunction ? 'function' : place === undefined ? kindOf(ownOf(words.kinds, name)) : `in ${place}`,
    text: `${mark}${name}${isFunction ? '()' : ''}`,
    back: isFunction ? 1 : 0,
  }));

const typesOf = ({ words }: Vocabulary, after: string): readonly Offer[] =>
  Object.keys(words.types).map((name) => ({
    name,
    about: 'type',
    text: `${name}${after.startsWith(')') ? '' : ')'}`,
    back: 0,
  }));

/** What can stand behind the dot of what ends here. */
function membersOf(of: string, known: Vocabulary): readonly Offer[] {
  const { roots, words } = known;
  const chain = chainAt(of);
  const [, type] = /^T\(([\w.]+)\)$/.exec(chain) ?? [];
  if (type !== undefined) return (ownOf(words.types, type) ?? []).map((name) => method(name, undefined));
  const root = roots.find(({ name }) => `#${name}` === chain);
  const path = pathOf(chain, known);
  const kind = path === undefined ? undefined : (ownOf(words.kinds, path) ?? path);
  const below = Object.keys(words.kinds).flatMap((each) => {
    const rest = path !== undefined && each.startsWith(`${path}.`) ? each.slice(path.length + 1) : '';
    return rest === '' || /[.[]/.test(rest) ? [] : [rest];
  });
  const members = [...new Set([...(root?.members ?? []), ...below])];
  return [
    ...members.map((name) => ({
      name,
      about: kindOf(ownOf(words.kinds, `${path ?? ''}.${name}`)),
      text: name,
      back: 0,
    })),
    ...(root !== undefined && root.members !== undefined ? [] : (ownOf(words.methods, kind) ?? [])).map(
      (name) => method(name, ownOf(words.results, name)),
    ),
  ];
}

const method = (name: string, gives: string | undefined): Offer => ({
  name: `${name}()`,
  about: kindOf(gives),
  text: `${name}()`,
  back: 1,
});

/** The last chain of a source: `#request.headers['X'][0]` of `1 == #request.headers['X'][0]`. */
function chainAt(source: string): string {
  let at = source.length;
  while (at > 0) {
    const sign = source[at - 1] ?? '';
    if (sign === ']' || sign === ')') at = openingOf(source, at - 1);
    else if (/[\w.?#]/.test(sign)) at -= 1;
    else break;
    if (source[at] === '#') break;
  }
  return source.slice(at);
}

/** Where the bracket is opened that is closed at a place; 0 where it is not. */
function openingOf(source: string, closed: number): number {
  let [depth, quote] = [0, ''];
  for (let at = closed; at >= 0; at -= 1) {
    const sign = source[at] ?? '';
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === "'" || sign === '"') quote = sign;
    else if (sign === ']' || sign === ')') depth += 1;
    else if (sign === '[' || sign === '(') depth -= 1;
    if (depth === 0) return at;
  }
  return 0;
}

const link = /^(?:\??\.(\w+)(\()?|\??\.?\[)/;

/** Where in the kinds a chain ends: a path of them, or the name of a kind; undefined where nobody can know. */
function pathOf(chain: string, { words }: Vocabulary): string | undefined {
  const [begin = '', name] = /^#(\w+)/.exec(chain) ?? [];
  if (name === undefined) return undefined;
  let [path, rest] = [name, chain.slice(begin.length)];
  while (rest !== '') {
    const [found, member, called] = link.exec(rest) ?? [];
    if (found === undefined) return undefined;
    const isIndex = member === undefined;
    const length =
      isIndex || called !== undefined
        ? found.length + lengthInside(rest.slice(found.length - 1))
        : found.length;
    rest = rest.slice(length);
    if (called !== undefined) {
      const result = member === 'get' ? `${path}[]` : ownOf(words.results, member);
      if (result === undefined) return undefined;
      path = result;
    } else if (isIndex || ownOf(words.kinds, `${path}.${member}`) === undefined) path = `${path}[]`;
    else path = `${path}.${member}`;
  }
  return path;
}

/** Characters of a bracket behind its opening, its closing with them. */
function lengthInside(from: string): number {
  let [depth, quote] = [0, ''];
  for (let at = 0; at < from.length; at += 1) {
    const sign = from[at] ?? '';
    if (quote !== '') quote = sign === quote ? '' : quote;
    else if (sign === "'" || sign === '"') quote = sign;
    else if (sign === '[' || sign === '(') depth += 1;
    else if (sign === ']' || sign === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return from.length;
}

/** What somebody typed may be a name that every object has. */
const ownOf = <Value>(of: Readonly<Record<string, Value>>, key: string | undefined): Value | undefined =>
  key !== undefined && Object.hasOwn(of, key) ? of[key] : undefined;

const kindWords: ReadonlyMap<string, string> = new Map([
  ['lines', 'headers or parameters'],
  ['attributes', 'attributes'],
  ['codec', 'encoder'],
]);

const kindOf = (kind: string | undefined): string =>
  kind === undefined ? '' : (kindWords.get(kind) ?? kind);

/** Those that begin with what is typed, then those that hold it; nothing where it is one of them already. */
function narrowed(
  { from, typed }: { readonly from: number; readonly typed: string },
  all: readonly Offer[],
): Offered {
  const wanted = typed.toLowerCase();
  const nameOf = ({ name }: Offer): string => name.replace(/^#/, '').toLowerCase();
  const begin = all.filter((each) => nameOf(each).startsWith(wanted));
  const hold = all.filter((each) => !begin.includes(each) && nameOf(each).includes(wanted));
  const offers = [...begin, ...hold].slice(0, offersMax);
  const isThere = offers.length === 1 && offers[0]?.text === typed;
  return { from, offers: isThere ? [] : offers };
}
