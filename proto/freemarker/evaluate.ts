import { fail } from '../expression/failure.ts';
import { spend } from '../expression/work.ts';
import { type Args, asBoolean, asIndex, asNumber, type Tools, wanted } from './built-ins/built-in.ts';
import { builtIns } from './built-ins/index.ts';
import { namesOf } from './built-ins/lists.ts';
import { calculate, decimalOf, indexOf } from './decimals.ts';
import { isEqual, isOrdered } from './comparisons.ts';
import { literalOf } from './literals.ts';
import { forgivingly, type Run } from './run.ts';
import type { Node, Operator } from './tree.ts';
import {
  boundedList,
  hashOf,
  isDecimal,
  isHash,
  isList,
  itemsOf,
  kindOf,
  Missing,
  Moment,
  nameOf,
  Range,
  type Value,
} from './values.ts';

type Of<Kind extends Node['kind']> = Extract<Node, { readonly kind: Kind }>;

/** What an expression comes to; undefined for what is missing. Errors: an EvaluationFailure. */
export function evaluate(node: Node, run: Run): Value | undefined {
  return run.deeper(() => valueOfNode(node, run));
}

/** ... where there has to be something. */
export function valueAt(node: Node, run: Run): Value {
  const value = evaluate(node, run);
  if (value === undefined)
    throw new Missing(
      `${written(node)} is missing; !"other" right behind it forgives that, with more behind it (${written(node)} ...)!"other", or ask first by ??`,
    );
  return value;
}

function valueOfNode(node: Node, run: Run): Value | undefined {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'name':
      return run.lookUp(node.name);
    case 'member':
      return memberOf(valueAt(node.of, run), node.name);
    case 'index':
      return itemOf(valueAt(node.of, run), valueAt(node.key, run), run);
    case 'grouped':
      return evaluate(node.of, run);
    case 'built-in':
      return builtIn(node, run);
    case 'binary':
      return binary(node, run);
    case 'joined':
      return node.parts
        .map((part) => (typeof part === 'string' ? part : run.text(valueAt(part, run))))
        .join('');
    case 'default':
      return tolerant(node.of, run) ?? (node.other === undefined ? '' : evaluate(node.other, run));
    case 'exists':
      return tolerant(node.of, run) !== undefined;
    case 'not':
      return !asBoolean(valueAt(node.of, run));
    case 'sign': {
      const number = asNumber(valueAt(node.of, run));
      return node.by === '-' ? calculate('-', decimalOf(0), number) : number;
    }
    case 'call':
      return callValue(
        valueAt(node.of, run),
        node.args.map((arg) => evaluate(arg, run)),
        run,
      );
    case 'list':
      return node.items.map((item) => valueAt(item, run));
    case 'hash':
      return hashOfNode(node, run);
    case 'range':
      return rangeOf(node, run);
    case 'special':
      return special(node.name, run);
    case 'lambda':
      return lambda(node, run);
  }
}

/** What is missing is undefined; in parentheses, whatever of it is missing. */
function tolerant(node: Node, run: Run): Value | undefined {
  return node.kind === 'grouped' ? forgiven(node.of, run) : evaluate(node, run);
}

/** As {@link tolerant} in parentheses: a path is followed as far as it goes, which is what most of them are. */
function forgiven(node: Node, run: Run): Value | undefined {
  if (node.kind === 'grouped') return forgiven(node.of, run);
  if (node.kind === 'name') return evaluate(node, run);
  if (node.kind !== 'member' && node.kind !== 'index') return forgivingly(() => evaluate(node, run));
  return run.deeper(() => {
    const of = forgiven(node.of, run);
    if (of === undefined) return undefined;
    if (node.kind === 'member') return memberOf(of, node.name);
    const key = forgiven(node.key, run);
    return key === undefined ? undefined : itemOf(of, key, run);
  });
}

function memberOf(of: Value, name: string): Value | undefined {
  spend(2);
  if (isHash(of)) return of.get(name);
  const hint = isList(of) ? '; an item is x[0] or x?first' : '';
  return fail(`${nameOf(of)} has no member ${JSON.stringify(name.slice(0, 80))}${hint}`);
}

function itemOf(of: Value, key: Value, run: Run): Value | undefined {
  if (key instanceof Range) return sliceOf(of, key, run);
  if (isDecimal(key)) {
    const index = indexOf(key);
    if (isList(of) || of instanceof Range || kindOf(of) === 'matches') return itemsOf(of)[index];
    if (isHash(of)) return fail('a hash is asked by a text, not by a number');
    const text = run.text(of);
    return text[index] ?? fail(`a text of ${text.length} characters has none at ${index}`);
  }
  return memberOf(of, run.text(key));
}

/** `x[1..3]`; past the end only `..` without an end and `..*` may go. */
function sliceOf(of: Value, { from, step, length, mayFallShort }: Range, run: Run): Value {
  const whole = isSequence(of) ? itemsOf(of) : run.text(of);
  if (length === 0) return typeof whole === 'string' ? '' : [];
  if (step < 0) {
    if (typeof whole === 'string') return fail('a text is not sliced backwards');
    const last = from - (length ?? 0) + 1;
    if (from >= whole.length || last < 0)
      return fail(`a list of ${whole.length} has no part from ${from} to ${last}`);
    return whole.slice(last, from + 1).toReversed();
  }
  const wanted = length === undefined ? whole.length : from + length;
  const end = mayFallShort ? Math.min(whole.length, wanted) : wanted;
  if (from < 0 || from > whole.length || end > whole.length)
    return fail(`${nameOf(of)} of ${whole.length} has no part from ${from} to ${end - 1}`);
  spend((end - from) >> 3);
  return whole.slice(from, end);
}

function rangeOf(node: Of<'range'>, run: Run): Range {
  const from = asIndex(valueAt(node.from, run));
  if (node.to === undefined) return new Range(from, 1, { length: undefined });
  const to = asIndex(valueAt(node.to, run));
  if (node.by === 'length')
    return new Range(from, to < 0 ? -1 : 1, { length: Math.abs(to), mayFallShort: true });
  const length = Math.abs(to - from) + (node.by === 'to' ? 1 : 0);
  return new Range(from, to < from ? -1 : 1, { length });
}

function hashOfNode(node: Of<'hash'>, run: Run): Value {
  const entries = new Map<string, Value | undefined>();
  for (const [name, value] of node.entries) entries.set(run.text(valueAt(name, run)), valueAt(value, run));
  return hashOf(entries);
}

function binary(node: Of<'binary'>, run: Run): Value {
  const { by } = node;
  if (by === '&&') return asBoolean(valueAt(node.left, run)) && asBoolean(valueAt(node.right, run));
  if (by === '||') return asBoolean(valueAt(node.left, run)) || asBoolean(valueAt(node.right, run));
  return combined(valueAt(node.left, run), by, { right: valueAt(node.right, run), run });
}

/** Two values by an operator; `+` joins texts, lists and hashes too. */
export function combined(
  left: Value,
  by: Exclude<Operator, '&&' | '||'>,
  { right, run }: { readonly right: Value; readonly run: Run },
): Value {
  if (by === '==') return isEqual(left, right);
  if (by === '!=') return !isEqual(left, right);
  if (by === '<' || by === '<=' || by === '>' || by === '>=') return isOrdered(left, by, right);
  if (by !== '+' || (isDecimal(left) && isDecimal(right)))
    return calculate(by, asNumber(left), asNumber(right));
  if (isSequence(left) && isSequence(right)) {
    const [a, b] = [itemsOf(left), itemsOf(right)];
    spend(a.length + b.length);
    return boundedList([...a, ...b]);
  }
  if (isHash(left) && isHash(right)) {
    const both = [left, right].flatMap((hash) =>
      namesOf(hash).map((name) => [name, hash.get(name)] as const),
    );
    return hashOf(new Map(both));
  }
  const [a, b] = [run.text(left), run.text(right)];
  if (a.length + b.length > joinedCharsMax)
    return fail(`a text becomes longer than ${joinedCharsMax} characters`);
  spend((a.length + b.length) >> 6);
  return a + b;
}

const joinedCharsMax = 1_000_000;
const isSequence = (value: Value): boolean => isList(value) || value instanceof Range;

function special(name: string, run: Run): Value | undefined {
  if (name === 'now') return new Moment(run.nowMs, 'datetime');
  if (name === 'error') return run.error;
  if (name === 'locale') return 'en_US';
  return name === 'lang' ? 'en' : 'UTC';
}

function lambda(node: Of<'lambda'>, run: Run): Value {
  const around = run.context;
  return {
    kind: 'method',
    call: ([item]) =>
      run.inside({ around, variables: new Map([[node.name, item]]) }, () => evaluate(node.body, run)),
  };
}

function callValue(of: Value, args: Args, run: Run): Value | undefined {
  if (typeof of === 'object' && 'kind' in of) {
    if (of.kind === 'method') return of.call(args);
    if (of.kind === 'macro') return run.callFunction(of.definition, args);
  }
  return fail(`${nameOf(of)} cannot be called`);
}

/** What built-ins may use of a run. */
function toolsOf(run: Run): Tools {
  return {
    text: (value) => run.text(value),
    literal: literalOf,
    call: (of, args) => (of === undefined ? wanted('a function', of) : callValue(of, args, run)),
  };
}

function builtIn(node: Of<'built-in'>, run: Run): Value | undefined {
  const known = builtIns.get(node.name) ?? fail(`?${node.name} is unknown`);
  if (known.kind === 'choice') return chosen(node, run);
  if (known.kind === 'of loop') {
    const loop = node.of.kind === 'name' ? run.loop(node.of.name) : undefined;
    if (loop === undefined) return fail(`?${node.name} is asked of the variable of a loop`);
    return known.run(
      loop,
      node.args.map((arg) => evaluate(arg, run)),
    );
  }
  spend(10);
  const of = known.kind === 'forgiving' ? tolerant(node.of, run) : valueAt(node.of, run);
  const args = node.args.map((arg) => (known.kind === 'forgiving' ? evaluate(arg, run) : valueAt(arg, run)));
  if (known.kind === 'forgiving') return known.run(of, args, toolsOf(run));
  return of === undefined ? undefined : known.run(of, args, toolsOf(run));
}

/** `?then(a, b)` and `?switch(case, value, ..., otherwise)`. */
function chosen({ name, of, args }: Of<'built-in'>, run: Run): Value | undefined {
  const value = valueAt(of, run);
  if (name === 'then') {
    const taken = args[asBoolean(value) ? 0 : 1];
    return taken === undefined ? undefined : evaluate(taken, run);
  }
  for (let at = 0; at + 1 < args.length; at += 2) {
    const [test, result] = args.slice(at, at + 2);
    if (test !== undefined && result !== undefined && isEqual(value, valueAt(test, run)))
      return evaluate(result, run);
  }
  const otherwise = args.length % 2 === 1 ? args.at(-1) : undefined;
  return otherwise === undefined
    ? fail('?switch has no value for this case, and none for all others')
    : evaluate(otherwise, run);
}

/** An expression as it is named in a message. */
function written(node: Node): string {
  if (node.kind === 'name') return node.name;
  if (node.kind === 'member') return `${written(node.of)}.${node.name}`;
  if (node.kind === 'index') return `${written(node.of)}[${writtenKey(node.key)}]`;
  if (node.kind === 'built-in') return `${written(node.of)}?${node.name}`;
  if (node.kind === 'grouped') return `(${written(node.of)})`;
  return 'what stands there';
}

function writtenKey(key: Node): string {
  if (key.kind !== 'literal') return '...';
  return isDecimal(key.value) ? key.value.toFixed() : JSON.stringify(key.value).slice(0, 80);
}
