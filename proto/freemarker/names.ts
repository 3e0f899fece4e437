import { rootNames } from '../expression/roots.ts';
import { SyntaxFault } from '../expression/tokens.ts';
import { builtIns } from './built-ins/index.ts';
import { modelMembers, propertyOf } from './model.ts';
import { nearestTo } from './spelling.ts';
import type { Body, Element, LoopNames, Node, Tree } from './tree.ts';

/** Names of what a template is given, with those of their members. */
export type GivenMembers = ReadonlyMap<string, () => readonly string[]>;

/** Longer ones are no slips, and would take long to compare. */
const nameCharsMax = 100;

/**
 * Looks for names that nothing can ever stand behind: of variables that the template is not given and does nowhere assign, and of members
 * that the request, the answer and the context do not have.
 *
 * What the template asks for by `??` or `?has_content` may stand anywhere in it; what `!` forgives, or stands inside `<#attempt>`, where it
 * stands. Returns where the answer is named without any of this, which it cannot be before there is one.
 *
 * Errors: a SyntaxFault at the first such name, with the nearest one.
 */
export function checkNames(
  { body, definitions }: Pick<Tree, 'body' | 'definitions'>,
  given: GivenMembers = modelMembers,
): number | undefined {
  const names = new Names(given);
  names.walk(body);
  for (const definition of definitions) names.assigned.add(definition.name);
  return names.judge();
}

/** Something that is still to be looked at; `isForgiven` when it may be missing. */
interface Step {
  readonly of: Node | Element;
  readonly isForgiven: boolean;
}

interface Named {
  readonly name: string;
  readonly at: number;
}

interface NamedMember extends Named {
  readonly of: string;
}

/** Names of a template. What it holds may be nested as deep as it is long (`a + b + c ...`): so it is not walked by calls in calls. */
class Names {
  readonly assigned = new Set<string>();
  /** By `??` and its like. */
  readonly #asked = new Set<string>();
  readonly #used: Named[] = [];
  readonly #members: NamedMember[] = [];
  readonly #steps: Step[] = [];
  readonly #given: GivenMembers;
  /** What `<#escape>` repeats is one node in many places, and in those of those. */
  readonly #seen = { strictly: new Set<Node | Element>(), forgiven: new Set<Node | Element>() };

  constructor(given: GivenMembers) {
    this.#given = given;
  }

  walk(body: Body): void {
    this.#later(body, false);
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      if ('firstLine' in step.of) this.#element(step.of, step.isForgiven);
      else this.#node(step.of, step.isForgiven);
    }
  }

  judge(): number | undefined {
    const isOwn = (name: string): boolean => this.assigned.has(name);
    const missing = this.#used.filter(({ name }) => !isOwn(name) && !this.#asked.has(name));
    const [first] = [
      ...missing.flatMap(({ name, at }) =>
        this.#given.has(name) ? [] : [{ at, why: () => unknownName(name, this.assigned, this.#given) }],
      ),
      ...this.#members.flatMap(({ of, name, at }) =>
        isOwn(of) || hasMember(membersOf(of, this.#given), name) || this.#asked.has(`${of}.${name}`)
          ? []
          : [{ at, why: () => unknownMember(name, of, membersOf(of, this.#given)) }],
      ),
    ].toSorted((one, other) => one.at - other.at);
    if (first !== undefined) throw new SyntaxFault(first.why(), first.at);
    const answers = missing.flatMap(({ name, at }) => (name === 'response' ? [at] : []));
    return answers.length === 0 ? undefined : answers.reduce((one, other) => Math.min(one, other));
  }

  #later(all: Iterable<Node | Element | undefined>, isForgiven: boolean): void {
    const seen = isForgiven ? this.#seen.forgiven : this.#seen.strictly;
    for (const of of all) {
      if (of === undefined || seen.has(of)) continue;
      seen.add(of);
      this.#steps.push({ of, isForgiven });
    }
  }

  #assign(names: LoopNames | undefined): void {
    for (const name of [names?.name, names?.valueName])
      if (name !== undefined)
        for (const each of [name, `${name}_index`, `${name}_has_next`]) this.assigned.add(each);
  }

  #node(node: Node, isForgiven: boolean): void {
    if (node.kind === 'name') {
      if (!isForgiven) this.#used.push(node);
      return;
    }
    const member = isForgiven ? undefined : memberOf(node, this.#given);
    if (member !== undefined) this.#members.push(member);
    if (node.kind === 'lambda') this.assigned.add(node.name);
    const forgives = forgivenBy(node);
    if (forgives === 'none') this.#later(partsOf(node), isForgiven);
    else if ('of' in node) {
      const { of } = node;
      const asked = forgives === 'asked' ? [rootOf(of), memberText(inside(of), this.#given)] : [];
      for (const each of asked) if (each !== undefined) this.#asked.add(each);
      // Of `a.b!` it is b that may be missing, of `(a.b)!` any of them.
      if (of.kind === 'name' || of.kind === 'grouped') this.#later([of], true);
      else this.#later(memberOf(of, this.#given) === undefined ? [of] : partsOf(of), isForgiven);
      const others = partsOf(node).filter((part) => part !== of);
      this.#later(others, isForgiven || node.kind === 'built-in');
    }
  }

  #element(element: Element, isForgiven: boolean): void {
    const later = (...all: readonly (Node | Element | undefined)[]): void => this.#later(all, isForgiven);
    switch (element.kind) {
      case 'text':
      case 'comment':
      case 'break':
      case 'continue':
        return;
      case 'output':
        return later(element.of);
      case 'if':
        return element.branches.forEach(({ test, body }) => later(test, ...body));
      case 'list':
        this.#assign(element.names);
        return later(element.of, ...element.body, ...(element.otherwise ?? []));
      case 'items':
        this.#assign(element.names);
        return later(...element.body);
      case 'switch':
        return later(
          element.of,
          ...element.cases.flatMap(({ values, body }) => [...(values ?? []), ...body]),
        );
      case 'assign':
        this.assigned.add(element.name);
        return later(element.value);
      case 'capture':
        this.assigned.add(element.name);
        return later(...element.body);
      case 'define': {
        const { name, parameters, rest, body } = element.definition;
        for (const each of [name, rest, ...parameters.map((parameter) => parameter.name)])
          if (each !== undefined) this.assigned.add(each);
        return later(...parameters.map(({ otherwise }) => otherwise), ...body);
      }
      case 'macro call':
        for (const name of element.loopNames) this.assigned.add(name);
        return later(
          element.of,
          ...element.args,
          ...element.named.map(([, value]) => value),
          ...(element.body ?? []),
        );
      case 'nested':
        return later(...element.args);
      case 'return':
      case 'setting':
        return later(element.value);
      case 'attempt':
        this.#later(element.body, true);
        return later(...element.recover);
      case 'sep':
      case 'compress':
      case 'plain':
        return later(...element.body);
      case 'stop':
        return later(element.message);
    }
  }
}

/** What this forgives of what it is asked of: `here` that it is missing, `asked` that it is missing wherever it stands. */
function forgivenBy(node: Node): 'none' | 'here' | 'asked' {
  if (node.kind === 'exists') return 'asked';
  if (node.kind === 'default') return 'here';
  if (node.kind !== 'built-in' || builtIns.get(node.name)?.kind !== 'forgiving') return 'none';
  return node.name === 'has_content' || node.name === 'exists' ? 'asked' : 'here';
}

function partsOf(node: Node): readonly (Node | undefined)[] {
  switch (node.kind) {
    case 'literal':
    case 'name':
    case 'special':
      return [];
    case 'joined':
      return node.parts.filter((part) => typeof part !== 'string');
    case 'list':
      return node.items;
    case 'hash':
      return node.entries.flat();
    case 'index':
      return [node.of, node.key];
    case 'call':
    case 'built-in':
      return [node.of, ...node.args];
    case 'default':
      return [node.of, node.other];
    case 'binary':
      return [node.left, node.right];
    case 'range':
      return [node.from, node.to];
    case 'lambda':
      return [node.body];
    case 'member':
    case 'exists':
    case 'not':
    case 'sign':
    case 'grouped':
      return [node.of];
  }
}

/** Without the parentheses around it. */
function inside(node: Node): Node {
  let at = node;
  while (at.kind === 'grouped') at = at.of;
  return at;
}

/** A member of what a template is given by its own name; what is behind another is not known. */
function memberOf(node: Node, given: GivenMembers): NamedMember | undefined {
  if (node.kind !== 'member' && node.kind !== 'index') return undefined;
  const of = inside(node.of);
  if (of.kind !== 'name' || !given.has(of.name)) return undefined;
  if (node.kind === 'member') return { of: of.name, name: node.name, at: node.at };
  const { key } = node;
  return key.kind === 'literal' && typeof key.value === 'string'
    ? { of: of.name, name: key.value, at: key.at }
    : undefined;
}

function memberText(node: Node, given: GivenMembers): string | undefined {
  const member = memberOf(node, given);
  return member === undefined ? undefined : `${member.of}.${member.name}`;
}

/** The variable that a path begins with. */
function rootOf(node: Node): string | undefined {
  let at = inside(node);
  while (at.kind === 'member' || at.kind === 'index') at = inside(at.of);
  return at.kind === 'name' ? at.name : undefined;
}

function unknownName(name: string, assigned: Iterable<string>, given: GivenMembers): string {
  const known = [...given.keys()];
  const among = [
    ...known,
    ...[...assigned].filter(({ length }) => length <= nameCharsMax),
    ...known
      .filter((each) => each !== 'request' && each !== 'response')
      .flatMap((each) => membersOf(each, given).map((member) => `${each}.${member}`)),
  ];
  const near = name.length > nameCharsMax ? '' : nearestTo(name, among, '');
  const ofExpressions =
    near === '' && given === modelMembers && rootNames().includes(name)
      ? `; what expressions know as #${name} policy-assign-attributes can put into context.attributes`
      : '';
  return `${name.slice(0, nameCharsMax)} is not given and nowhere assigned; a template is given ${known.join(', ')}${near}${ofExpressions}`;
}

function unknownMember(name: string, of: string, members: readonly string[]): string {
  const near = name.length > nameCharsMax ? '' : nearestTo(propertyOf(name) ?? name, members, '');
  const has = members.length === 0 ? '; it is a text' : `; it has ${members.join(', ')}`;
  return `${of} has no ${name.slice(0, nameCharsMax)}${near === '' ? has : near}`;
}

const membersOf = (of: string, given: GivenMembers): readonly string[] => given.get(of)?.() ?? [];

/** Whether there is such a member, by its name or as Java's getter. */
const hasMember = (members: readonly string[], name: string): boolean =>
  members.includes(name) || members.includes(propertyOf(name) ?? name);
