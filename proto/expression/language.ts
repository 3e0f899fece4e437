import { negative, numberOr } from './arithmetic.ts';
import { calling, fail, failedOf } from './failure.ts';
import type { Evaluate } from './frame.ts';
import { functionNames, functionOf } from './functions.ts';
import { readFormat } from './java/formats.ts';
import { indexed, itemsOf, mapOf, memberOf } from './members.ts';
import { kindAt, kindWords, membersOf } from './known/kinds.ts';
import { callMethod, isMethod, methodNamesOf, methodsByKind } from './methods.ts';
import { compileBinary } from './operators.ts';
import { parse } from './parse.ts';
import { isOwn, ownBeginning } from './known/provenance.ts';
import { type Root, rootNames, rootOf } from './roots.ts';
import { checkSecret, secretOf, secretsHint } from './secrets.ts';
import type { CompiledExpression, Language, SecretName, TemplateNeeds } from './template.ts';
import { SyntaxFault } from './tokens.ts';
import type { Node } from './tree.ts';
import { constantOf, makerNames, makerOf, staticOf, typeNames, typeOf } from './java/types.ts';
import { unknown } from './unknown.ts';
import { isMap, Real, toBoolean, toText, type Value } from './values.ts';
import { beginWork, endWork, spend } from './work.ts';

const nothing = { kind: 'nothing' } as const;
const nowhere: ReadonlySet<string> = new Set();

/**
 * The reference's expression language, as far as this version has it: a subset of SpEL over a closed set of roots, types, methods and
 * functions. Nothing else can be named, so no expression reaches a prototype, a class or the process.
 *
 * A name that is not known is refused when the definition is loaded, with its place and the nearest; what depends on values fails when it is
 * evaluated.
 */
export const language: Language = (source, places = nowhere) => {
  try {
    const compiler = new Compiler(places);
    const node = parse(withQuotes(source));
    const evaluate = evaluating(compiler.compile(node));
    const { needs, roots, secrets } = compiler;
    const own = ownBeginning(node);
    const beginning = own === undefined ? undefined : evaluating(new Compiler(places).compile(own));
    return { kind: 'compiled', needs, reads: { roots, secrets }, isOwn: isOwn(node), beginning, evaluate };
  } catch (error) {
    if (error instanceof SyntaxFault) return { kind: 'refused', message: error.message, at: error.at };
    throw error;
  }
};

function evaluating(evaluate: Evaluate): CompiledExpression['evaluate'] {
  return (scope) => {
    beginWork(scope);
    try {
      const value = evaluate({ scope, item: null });
      return value === null ? nothing : { kind: 'value', value };
    } catch (error) {
      return failedOf(error);
    } finally {
      endWork();
    }
  };
}

class Compiler {
  needs: TemplateNeeds = 'head';
  readonly roots = new Set<string>();
  readonly secrets: SecretName[] = [];
  readonly #places: ReadonlySet<string>;
  /** How many selections are around what is compiled: only there a bare name is something. */
  #selections = 0;

  /** places: names of roots that are known where this expression stands and nowhere else. */
  constructor(places: ReadonlySet<string>) {
    this.#places = places;
  }

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
        return compileBinary(node, (side) => this.compile(side));
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

  #variable(node: Extract<Node, { kind: 'variable' }>): Evaluate {
    const { name, at } = node;
    if (name === 'this') return ({ item }) => item;
    const root = this.#root(node);
    if (root.kind === 'value') return ({ scope }) => root.read(scope);
    if (root.kind === 'secrets') throw new SyntaxFault(secretsHint, at);
    throw new SyntaxFault(
      `#${name} has no value of its own; one of its members is expected behind it: ${[...root.members.keys()].join(', ')}`,
      at,
    );
  }

  #root({ name, at }: Extract<Node, { kind: 'variable' }>): Root {
    const root = rootOf(name);
    if (root === undefined)
      throw unknown(`#${name}`, { name: `#${name}`, among: rootNames().map((each) => `#${each}`), at });
    if (root.place !== undefined && !this.#places.has(name))
      throw new SyntaxFault(`#${name} is known in ${root.place} alone`, at);
    this.roots.add(name);
    return root;
  }

  #name({ name, at }: Extract<Node, { kind: 'name' }>): Evaluate {
    if (this.#selections > 0) return ({ item }) => memberOf(item, name);
    throw new SyntaxFault(`${name} stands for nothing; a variable is written #${name}, a text '${name}'`, at);
  }

  #made({ name, args, at }: Extract<Node, { kind: 'new' }>): Evaluate {
    const make = makerOf(name);
    if (make === undefined) throw unknown(`new ${name}(...)`, { name, among: makerNames(), at });
    const given = this.#all(args);
    return (frame) => {
      const values = given(frame);
      return calling(() => make(values));
    };
  }

  #function({ name, args, at }: Extract<Node, { kind: 'function' }>): Evaluate {
    const run = functionOf(name);
    if (run === undefined) throw unknown(`#${name}(...)`, { name, among: functionNames(), at });
    const given = this.#all(args);
    return (frame) => run(given(frame));
  }

  #property({ of, name, isSafe, at }: Extract<Node, { kind: 'property' }>): Evaluate {
    if (of.kind === 'variable' && of.name !== 'this') return this.#member(of, { name, at, isSafe });
    if (of.kind === 'type') {
      const read = constantOf(of.name, name);
      if (read === undefined)
        throw new SyntaxFault(`T(${of.name}) has no ${name}; one of its methods is expected behind it`, at);
      return read;
    }
    const target = this.compile(of);
    demandMember(of, { name, at });
    return (frame) => {
      const value = target(frame);
      return isSafe && value === null ? null : memberOf(value, name);
    };
  }

  /** A member of a root. */
  #member(
    root: Extract<Node, { kind: 'variable' }>,
    { name, at, isSafe }: { readonly name: string; readonly at: number; readonly isSafe: boolean },
  ): Evaluate {
    const found = this.#root(root);
    if (found.kind === 'value')
      return ({ scope }) => {
        const value = found.read(scope);
        return isSafe && value === null ? null : indexed(value, name);
      };
    if (found.kind === 'secrets') return this.#variable(root);
    const member = found.members.get(name);
    if (member === undefined)
      throw unknown(`#${root.name}.${name}`, { name, among: [...found.members.keys()], at });
    if (member.needs === 'buffered') this.needs = 'buffered';
    return ({ scope }) => member.read(scope);
  }

  #index({ of, index, isSafe, at }: Extract<Node, { kind: 'index' }>): Evaluate {
    const name = nameOf(index);
    if (of.kind === 'variable' && of.name !== 'this' && name !== undefined)
      return this.#member(of, { name, at, isSafe });
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
      if (name === 'format' && methods.has('join')) checkFormat(args[0]);
      return (frame) => {
        const values = given(frame);
        return calling(() => run(values));
      };
    }
    if (name === 'formatted') checkFormat(of);
    if (of.kind === 'variable' && this.#isSecrets(of)) return this.#secret({ name, args, at });
    if (!isMethod(name))
      throw unknown(`the method ${name}(...)`, { name, among: [...methodsByKind().values()].flat(), at });
    const target = this.compile(of);
    demandMethod(of, { name, at });
    return (frame) => {
      const value = target(frame);
      if (value === null) return isSafe ? null : fail(`${name}(...) of nothing`);
      return callMethod(value, name, given(frame));
    };
  }

  #isSecrets(of: Extract<Node, { kind: 'variable' }>): boolean {
    return of.name !== 'this' && this.#root(of).kind === 'secrets';
  }

  /** What can be told without a request is told when the definition is loaded. */
  #secret({ name, args, at }: Pick<Extract<Node, { kind: 'method' }>, 'name' | 'args' | 'at'>): Evaluate {
    if (name !== 'get' || args.length === 0 || args.length > 2) throw new SyntaxFault(secretsHint, at);
    const [path, key] = args;
    const written = path === undefined ? undefined : textOf(path);
    const why = written === undefined ? undefined : checkSecret(written);
    if (why !== undefined) throw new SyntaxFault(why, path?.at ?? at);
    const writtenKey = key === undefined ? undefined : textOf(key);
    if (written !== undefined && (key === undefined) === (writtenKey === undefined))
      this.secrets.push({ path: written, key: writtenKey });
    const given = this.#all(args);
    return (frame) => secretOf(given(frame), frame.scope.surroundings.secrets);
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

  #all(nodes: readonly Node[]): (frame: Parameters<Evaluate>[0]) => readonly Value[] {
    const each = nodes.map((node) => this.compile(node));
    return (frame) => valuesOf(each, frame);
  }
}

interface Named {
  readonly name: string;
  readonly at: number;
}

/** Errors: SyntaxFault where no value of the kind that this comes to has such a member. */
function demandMember(of: Node, { name, at }: Named): void {
  const kind = kindAt(of);
  const among = kind && membersOf(kind);
  if (kind !== undefined && among !== undefined && !among.includes(name))
    throw unknown(`a member ${name} of ${kindWords[kind.is]}`, { name, among, at });
}

/** ... such a method. */
function demandMethod(of: Node, { name, at }: Named): void {
  const kind = kindAt(of);
  const among = kind === undefined ? [] : methodNamesOf(kind.is);
  if (kind !== undefined && !among.includes(name))
    throw unknown(`the method ${name}(...) of ${kindWords[kind.is]}`, { name, among, at });
}

/** Of a pattern that is written down. */
function checkFormat(pattern: Node | undefined): void {
  const written = pattern === undefined ? undefined : textOf(pattern);
  const read = written === undefined ? [] : readFormat(written);
  if ('why' in read) throw new SyntaxFault(read.why, pattern?.at ?? 0);
}

/** A name in brackets, with quotes or without. */
function nameOf(index: Node): string | undefined {
  return index.kind === 'name' ? index.name : textOf(index);
}

/** A text that is written down. */
function textOf(node: Node): string | undefined {
  return node.kind === 'constant' && typeof node.value === 'string' ? node.value : undefined;
}

const bareSecret = /^(\s*#secrets\.get\(\s*)(\/[^\s'"(),]+)(\s*\)\s*)$/;

/** As the reference takes it: the path of a secret may stand without quotes where it is all that the expression says. */
function withQuotes(source: string): string {
  return source.replace(bareSecret, "$1'$2'$3");
}

function valuesOf(each: readonly Evaluate[], frame: Parameters<Evaluate>[0]): readonly Value[] {
  spend(each.length * 4);
  return each.map((evaluate) => evaluate(frame));
}
