import type { FaultDetail } from '../../../faults/fault.ts';
import { weightKeyword } from './dialects.ts';
import type { Weight } from './work.ts';

/** Most subschemas of a schema, and how deep they may stand in each other. */
export const subschemasMax = 5_000;
export const schemaDepthMax = 64;

/** Keywords that hold one schema, a list of them, or some by name. */
export const single = wordSet(
  'additionalItems additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties',
);
export const lists = wordSet('allOf anyOf items oneOf prefixItems');
export const maps = wordSet('$defs definitions dependencies dependentSchemas patternProperties properties');
/** Keywords that look at each member of an object. */
const perMember = wordSet('additionalProperties patternProperties propertyNames unevaluatedProperties');

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** How a schema is copied. */
export interface CopyWish {
  readonly isKnown: (keyword: string) => boolean;
  /** How the schema calls itself; references that begin with it lead into it. */
  readonly ownId: string | undefined;
  /** Most subschemas. Default: {@link subschemasMax}. */
  readonly subschemasMax?: number;
}

/** The name of every copy, by which references from outside of it lead into it. A publisher's would be known to the schemas of others, which one compiler makes. */
export const copyId = 'isthmus:schema';
const names = wordSet('$id id');
/** Names of places, which the compiler keeps for all schemas. */
const anchors = wordSet('$anchor $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef');

export const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Makes a copy of a schema. */
export function copySchema(
  schema: Json,
  wish: CopyWish,
  idKeyword: '$id' | 'id',
): { readonly copy: object | boolean; readonly faults: readonly FaultDetail[] } {
  const copying = new SchemaCopy(wish);
  const copy = copying.of(schema, '');
  return { copy: typeof copy === 'object' ? { ...copy, [idKeyword]: copyId } : copy, faults: copying.faults };
}

/** A copy of schemas that a compiler can be given: bounded, without what it does not know, each subschema with its weight. */
class SchemaCopy {
  readonly faults: FaultDetail[] = [];
  readonly #wish: CopyWish;
  #count = 0;

  constructor(wish: CopyWish) {
    this.#wish = wish;
  }

  /** The copy of a schema; at: where it stands, as a pointer. */
  of(schema: Json, at: string, depth = 0): object | boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema)) return this.#fault(at, 'must be a schema: an object, true or false');
    this.#count += 1;
    const countMax = this.#wish.subschemasMax ?? subschemasMax;
    if (this.#count > countMax) return this.#fault(at, `is one of more than ${countMax} schemas`);
    if (depth > schemaDepthMax) return this.#fault(at, `is nested deeper than ${schemaDepthMax} schemas`);
    const copy: [string, Json][] = [];
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword.startsWith('x-')) continue;
      const isName = names.has(keyword) && typeof value === 'string';
      if (isName && at === '') continue;
      if (isName || anchors.has(keyword))
        this.#fault(
          `${at}/${keyword}`,
          'is not supported by this version; refer to a place by its path, as #/definitions/...',
        );
      else if (keyword === weightKeyword || !this.#wish.isKnown(keyword))
        this.#fault(
          `${at}/${escaped(keyword)}`,
          'is no keyword of this version of JSON Schema; what is meant for people may be called x-...',
        );
      else copy.push([keyword, this.#value(keyword, value, { at: `${at}/${escaped(keyword)}`, depth })]);
    }
    // No member is called __proto__ here that is not one of its own.
    return Object.fromEntries([...copy, [weightKeyword, weightOf(schema)]]);
  }

  #value(keyword: string, value: Json, { at, depth }: { readonly at: string; readonly depth: number }): Json {
    if (keyword === '$ref' && typeof value === 'string') return this.#refOf(value, at);
    if (lists.has(keyword) && Array.isArray(value))
      return value.map((each: Json, index) => this.of(each, `${at}/${index}`, depth + 1));
    if (maps.has(keyword) && isObject(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [
          name,
          // Of `dependencies`, which has lists of names as well.
          Array.isArray(each) ? each : this.of(each, `${at}/${escaped(name)}`, depth + 1),
        ]),
      );
    if (single.has(keyword) && (isObject(value) || typeof value === 'boolean'))
      return this.of(value, at, depth + 1);
    return value;
  }

  #refOf(ref: string, at: string): string {
    const { ownId } = this.#wish;
    const own =
      ownId !== undefined && ref.startsWith(ownId) ? ref.slice(ownId.length).replace(/^#?/, '#') : ref;
    if (own !== '#' && !own.startsWith('#/'))
      this.#fault(
        at,
        `refers to ${JSON.stringify(ref.slice(0, 200))}, which is not in the schema; nothing outside of it is read`,
      );
    return own;
  }

  #fault(path: string, message: string): boolean {
    if (this.faults.length < faultsMax) this.faults.push({ path, message });
    return true;
  }
}

const faultsMax = 20;

/** As a part of a JSON pointer (RFC 6901 section 3). */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What asking a subschema costs, by the sizes of what it says. */
function weightOf(schema: JsonObject): Weight {
  const sizeOf = (value: Json): number =>
    typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  const once = Object.values(schema).reduce<number>((sum, value) => sum + sizeOf(value), 1);
  const looks = Object.keys(schema).some((keyword) => perMember.has(keyword));
  return {
    once,
    perMember: looks ? 1 + sizeOf(schema['properties']) + sizeOf(schema['patternProperties']) : 0,
  };
}
