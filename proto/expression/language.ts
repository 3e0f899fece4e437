import { nearest } from '../faults/nearest.ts';
import { calculated, negative, numberOr, product, sum } from './arithmetic.ts';
import { functionNames, functionOf } from './functions.ts';
import { callMethod, isMethod, itemOf, methodsByKind } from './methods.ts';
import { parse } from './parse.ts';
import { matchesWhole, patternOf } from './patterns.ts';
import { rootNames, rootOf } from './roots.ts';
import type { ExpressionScope } from './scope.ts';
import type { Language, TemplateNeeds } from './template.ts';
import { SyntaxFault } from './tokens.ts';
import type { Node } from './tree.ts';
import { beginWork, endWork, spend } from './work.ts';
import { newText, staticOf, typeNames, typeOf } from './types.ts';
import { EvaluationFailure, fail } from './failure.ts';
import {
  compare,
  isAttributes,
  isEqual,
  isLines,
  isList,
  isMap,
  isNumber,
  kindOf,
  Real,
  toBoolean,
  toInt,
  toText,
  type Value,
} from './values.ts';

/** What an evaluation has in hand. */
interface Frame {
  readonly scope: ExpressionScope;
  /** The item that a selection looks at. */
  readonly item: Value;
}

type Evaluate = (frame: Frame) => Value;

const nothing = { kind: 'nothing' } as const;

/**
 * The reference's expression language, as far as this version has it: a subset of SpEL over a closed set of roots, types, methods and
 * functions. Nothing else can be named, so no expression reaches a prototype, a class or the process.
 *
 * A name that is not known is refused when the definition is loaded, with its place and the nearest; what depends on values fails when it is
 * evaluated.
 */
export const language: Language = (source) => {
  try {
    const compiler = new Compiler();
    const evaluate = compiler.compile(parse(source));
    return {
      kind: 'compiled',
      needs: compiler.needs,
      evaluate(scope) {
        beginWork(scope);
        try {
          const value = evaluate({ scope, item: null });
          return value === null ? nothing : { kind: 'value', value };
        } catch (error) {
          // A RangeError is V8's own bound, of a text or of the stack.
          if (error instanceof EvaluationFailure || error instanceof RangeError)
            return { kind: 'failed', why: error.message };
          throw error;
        } finally {
          endWork();
        }
      },
    };
  } catch (error) {
    if (error instanceof SyntaxFault) return { kind: 'refused', message: error.message, at: error.at };
    throw error;
  }
};

class Compiler {
  needs: TemplateNeeds = 'head';
  /** How many selections are around what is compiled: only there a bare name is something. */
  #selections = 0;

  compile(node: Node): Evaluate {
    switch (node.kind) {
      case 'constant':
        return () => node.value;
      case 'real': {
        const value = new Real(node.value);
        return () => value;
      }
      case 'variable':
        return this.#variable(node);
      case 'name':
        return this.#name(node);
      case 'type':
        throw new SyntaxFault(`T(${node.name}) is a type; one of its methods is expected behind it`, node.at);
      case 'new':
        return this.#made(node);
      case 'function':
        return this.#function(node);
      case 'property':
        return this.#property(node);
      case 'index':
        return this.#index(node);
      case 'method':
        return this.#method(node);
      case 'select':
        return this.#select(node);
      case 'list': {
        const items = node.items.map((each) => this.compile(each));
        return (frame) => valuesOf(items, frame);
      }
      case 'map': {
        const entries = node.entries.map(([key, value]) => [this.compile(key), this.compile(value)] as const);
        return (frame) =>
          new Map(
            entries.map(([key, value]): [string, Value] => [toText(key(frame)) ?? 'null', value(frame)]),
          );
      }
      case 'not': {
        const of = this.compile(node.of);
        return (frame) => !toBoolean(of(frame));
      }
      case 'minus': {
        const of = this.compile(node.of);
        return (frame) => negative(of(frame));
      }
      case 'plus': {
        const of = this.compile(node.of);
        return (frame) => numberOr(of(frame));
      }
      case 'binary':
        return this.#binary(node);
      case 'choice': {
        const [when, chosen, otherwise] = [node.when, node.chosen, node.otherwise].map((each) =>
          this.compile(each),
        ) as [Evaluate, Evaluate, Evaluate];
        return (frame) => (toBoolean(when(frame)) ? chosen(frame) : otherwise(frame));
      }
      case 'elvis': {
        const [of, otherwise] = [this.compile(node.of), this.compile(node.otherwise)];
        return (frame) => {
          const value = of(frame);
          return value === null || value === '' ? otherwise(frame) : value;
        };
      }
    }
  }

  #variable({ name, at }: Extract<Node, { kind: 'variable' }>): Evaluate {
    if (name === 'this') return ({ item }) => item;
    const members = rootOf(name);
    if (members === undefined)
      throw unknown(`#${name}`, { name: `#${name}`, among: rootNames().map((each) => `#${each}`), at });
    throw new SyntaxFault(
      `#${name} has no value of its own; one of its members is expected behind it: ${[...members.keys()].join(', ')}`,
      at,
    );
  }

  #name({ name, at }: Extract<Node, { kind: 'name' }>): Evaluate {
    if (this.#selections > 0) return ({ item }) => memberOf(item, name);
    throw new SyntaxFault(`${name} stands for nothing; a variable is written #${name}, a text '${name}'`, at);
  }

  #made({ name, args, at }: Extract<Node, { kind: 'new' }>): Evaluate {
    if (name !== 'String' && name !== 'java.lang.String')
      throw new SyntaxFault(`new ${name}(...) is not supported by this version`, at);
    const given = this.#all(args);
    return (frame) => newText(given(frame));
  }

  #function({ name, args, at }: Extract<Node, { kind: 'function' }>): Evaluate {
    const run = functionOf(name);
    if (run === undefined) throw unknown(`#${name}(...)`, { name, among: functionNames(), at });
    const given = this.#all(args);
    return (frame) => run(given(frame));
  }

  #property({ of, name, isSafe, at }: Extract<Node, { kind: 'property' }>): Evaluate {
    if (of.kind === 'variable' && of.name !== 'this') return this.#member(of, { name, at });
    const target = this.compile(of);
    return (frame) => {
      const value = target(frame);
      return isSafe && value === null ? null : memberOf(value, name);
    };
  }

  /** A member of a root. */
  #member(
    root: Extract<Node, { kind: 'variable' }>,
    { name, at }: { readonly name: string; readonly at: number },
  ): Evaluate {
    const members = rootOf(root.name);
    if (members === undefined) return this.#variable(root);
    const member = members.get(name);
    if (member === undefined)
      throw unknown(`#${root.name}.${name}`, { name, among: [...members.keys()], at });
    if (member.needs === 'buffered') this.needs = 'buffered';
    return ({ scope }) => member.read(scope);
  }

  #index({ of, index, isSafe, at }: Extract<Node, { kind: 'index' }>): Evaluate {
    if (of.kind === 'variable' && of.name !== 'this' && index.kind === 'constant')
      return this.#member(of, { name: String(index.value), at });
    const target = this.compile(of);
    // A key of a map needs no quotes.
    const bare = index.kind === 'name' ? index.name : undefined;
    const key = bare === undefined ? this.compile(index) : () => bare;
    return (frame) => {
      const value = target(frame);
      return isSafe && value === null ? null : indexed(value, key(frame));
    };
  }

  #method({ of, name, args, isSafe, at }: Extract<Node, { kind: 'method' }>): Evaluate {
    const given = this.#all(args);
    if (of.kind === 'type') {
      const methods = typeOf(of.name);
      if (methods === undefined)
        throw new SyntaxFault(
          `T(${of.name}) is unknown to this version, which has ${typeNames().join(', ')}`,
          of.at,
        );
      const run = staticOf(of.name, name);
      if (run === undefined)
        throw unknown(`T(${of.name}).${name}(...)`, { name, among: [...methods.keys()], at });
      return (frame) => run(given(frame));
    }
    if (!isMethod(name))
      throw unknown(`the method ${name}(...)`, { name, among: [...methodsByKind().values()].flat(), at });
    const target = this.compile(of);
    return (frame) => {
      const value = target(frame);
      if (value === null) return isSafe ? null : fail(`${name}(...) of nothing`);
      return callMethod(value, name, given(frame));
    };
  }

  #select({ of, which, by, isSafe }: Extract<Node, { kind: 'select' }>): Evaluate {
    const target = this.compile(of);
    this.#selections += 1;
    const test = this.compile(by);
    this.#selections -= 1;
    return (frame) => {
      const value = target(frame);
      if (value === null && isSafe) return null;
      const at = (item: Value): Value => {
        spend(16);
        return test({ ...frame, item });
      };
      if (which === 'project') return itemsOf(value).map(at);
      const found = itemsOf(value).filter((item) => toBoolean(at(item)));
      if (which === 'all') return isMap(value) ? mapOf(found) : found;
      const one = which === 'first' ? found[0] : found.at(-1);
      if (one === undefined) return null;
      return isMap(value) ? mapOf([one]) : one;
    };
  }

  #all(nodes: readonly Node[]): (frame: Frame) => readonly Value[] {
    const each = nodes.map((node) => this.compile(node));
    return (frame) => valuesOf(each, frame);
  }

  #binary({ operator, left, right, at }: Extract<Node, { kind: 'binary' }>): Evaluate {
    if (operator === 'instanceof') return this.#isA(left, right, at);
    const [a, b] = [this.compile(left), this.compile(right)];
    switch (operator) {
      case '&&':
        return (frame) => toBoolean(a(frame)) && toBoolean(b(frame));
      case '||':
        return (frame) => toBoolean(a(frame)) || toBoolean(b(frame));
      case '==':
        return (frame) => isEqual(a(frame), b(frame));
      case '!=':
        return (frame) => !isEqual(a(frame), b(frame));
      case '<':
        return (frame) => compare(a(frame), b(frame)) < 0;
      case '<=':
        return (frame) => compare(a(frame), b(frame)) <= 0;
      case '>':
        return (frame) => compare(a(frame), b(frame)) > 0;
      case '>=':
        return (frame) => compare(a(frame), b(frame)) >= 0;
      case 'matches':
        return this.#matches(a, right, b);
      case 'between':
        return (frame) => isBetween(a(frame), b(frame));
      case '+':
        return (frame) => sum(a(frame), b(frame));
      case '*':
        return (frame) => product(a(frame), b(frame));
      case '-':
      case '/':
      case '%':
      case '^':
        return (frame) => calculated(operator, a(frame), b(frame));
    }
  }

  /** A pattern that is written down is judged when the definition is loaded. */
  #matches(text: Evaluate, pattern: Node, written: Evaluate): Evaluate {
    if (pattern.kind === 'constant' && typeof pattern.value === 'string') {
      try {
        patternOf(pattern.value);
      } catch (error) {
        if (error instanceof EvaluationFailure) throw new SyntaxFault(error.message, pattern.at);
        throw error;
      }
    }
    return (frame) =>
      matchesWhole(
        toText(text(frame)) ?? fail('nothing is matched'),
        toText(written(frame)) ?? fail('the pattern is nothing'),
      );
  }

  #isA(left: Node, right: Node, at: number): Evaluate {
    if (right.kind !== 'type') throw new SyntaxFault('instanceof is followed by T(a type)', at);
    const name = right.name.slice(right.name.lastIndexOf('.') + 1);
    const is = kinds.get(name);
    if (is === undefined) throw unknown(`T(${right.name})`, { name, among: [...kinds.keys()], at: right.at });
    const of = this.compile(left);
    return (frame) => is(of(frame));
  }
}

function valuesOf(each: readonly Evaluate[], frame: Frame): readonly Value[] {
  spend(each.length * 4);
  return each.map((evaluate) => evaluate(frame));
}

const kinds: ReadonlyMap<string, (value: Value) => boolean> = new Map<string, (value: Value) => boolean>([
  ['String', (value) => typeof value === 'string'],
  ['Boolean', (value) => typeof value === 'boolean'],
  ['Integer', (value) => typeof value === 'number'],
  ['Long', (value) => typeof value === 'bigint'],
  ['Double', (value) => value instanceof Real],
  ['Number', isNumber],
  ['List', isList],
  ['Collection', isList],
  ['Map', (value) => isMap(value) || isLines(value) || isAttributes(value)],
]);

function unknown(
  what: string,
  { name, among, at }: { readonly name: string; readonly among: readonly string[]; readonly at: number },
): SyntaxFault {
  const meant = nearest(name, among);
  return new SyntaxFault(
    `${what} is unknown to this version${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    at,
  );
}

function memberOf(value: Value, name: string): Value {
  if (isMap(value)) return value.get(name) ?? null;
  if (isAttributes(value)) return value.get(name);
  if (isLines(value)) return value.all(name) ?? null;
  // Java's isEmpty() is read as a property too.
  if (name === 'empty' && (isList(value) || typeof value === 'string')) return value.length === 0;
  return fail(`${kindOf(value)} has no member ${name}`);
}

function indexed(value: Value, key: Value): Value {
  if (isList(value)) return itemOf(value, toInt(key));
  if (typeof value === 'string') return value[toInt(key)] ?? fail(`there is no character ${toInt(key)}`);
  const name = toText(key) ?? 'null';
  return value === null ? fail(`[${name}] of nothing`) : memberOf(value, name);
}

/** What a selection looks at: items of a list, entries of a map. */
function itemsOf(value: Value): readonly Value[] {
  if (isMap(value)) spend(value.size * 16);
  if (isList(value)) return value;
  if (isMap(value))
    return [...value].map(
      ([key, each]): Value =>
        new Map<string, Value>([
          ['key', key],
          ['value', each],
        ]),
    );
  return fail(`nothing is selected from ${kindOf(value)}`);
}

function mapOf(entries: readonly Value[]): Value {
  return new Map(
    entries.map((entry): [string, Value] => [
      toText(memberOf(entry, 'key')) ?? 'null',
      memberOf(entry, 'value'),
    ]),
  );
}

function isBetween(value: Value, range: Value): boolean {
  if (!isList(range) || range.length !== 2) return fail('between is followed by {from, to}');
  return compare(value, range[0] ?? null) >= 0 && compare(value, range[1] ?? null) <= 0;
}
