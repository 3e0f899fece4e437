import { spend } from '../expression/work.ts';
import { type Member, rootOf } from '../expression/roots.ts';
import type { ExpressionScope } from '../expression/scope.ts';
import { attributesOf } from '../expression/values.ts';
import { type Hash, type Value, valueOf } from './values.ts';

/** What a template is given: the request, the answer where there is one, and the context, with the members that expressions have. */
export function modelOf(scope: ExpressionScope): ReadonlyMap<string, Value | undefined> {
  const model = new Map<string, Value | undefined>([
    ['request', objectOf(membersOf('request'), scope)],
    ['context', objectOf(contextMembers, scope)],
  ]);
  if (scope.response !== undefined) model.set('response', objectOf(membersOf('response'), scope));
  return model;
}

/** Names of what a template is given, with their members; for the reference. */
export const modelMembers: ReadonlyMap<string, () => readonly string[]> = new Map([
  ['request', () => [...membersOf('request').keys()]],
  ['response', () => [...membersOf('response').keys()]],
  ['context', () => [...contextMembers.keys()]],
]);

/** `content` of Java's `getContent`; undefined of what is no getter. */
export function propertyOf(name: string): string | undefined {
  const [, first, rest = ''] = /^get([A-Z])(\w*)$/.exec(name) ?? [];
  return first === undefined ? undefined : first.toLowerCase() + rest;
}

function membersOf(root: 'request' | 'response'): ReadonlyMap<string, Member> {
  const found = rootOf(root);
  return found?.kind === 'members' ? found.members : new Map();
}

const contextMembers: ReadonlyMap<string, Pick<Member, 'read'>> = new Map([
  ['attributes', { read: ({ attributes }: ExpressionScope) => attributesOf(attributes) }],
  ['dictionaries', { read: ({ surroundings }: ExpressionScope) => surroundings.dictionaries }],
]);

/** A member by its name, or as Java's getter: `request.getContent()`. Its names cannot be listed. */
function objectOf(members: ReadonlyMap<string, Pick<Member, 'read'>>, scope: ExpressionScope): Hash {
  const read = (name: string): Value | undefined => {
    spend(4);
    return valueOf(members.get(name)?.read(scope));
  };
  return {
    kind: 'hash',
    get(name) {
      if (members.has(name)) return read(name);
      const property = propertyOf(name);
      return property !== undefined && members.has(property)
        ? { kind: 'method', call: () => read(property) }
        : undefined;
    },
  };
}
