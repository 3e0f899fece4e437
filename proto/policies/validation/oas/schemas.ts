import type { FaultDetail } from '../../../faults/fault.ts';
import { patternFault } from '../../../expression/patterns.ts';
import { isObject, lists, maps, schemaDepthMax, single } from '../json-schema/copy.ts';
import { compilerOf, knowsFormat } from '../json-schema/dialects.ts';
import {
  gotoKeyword,
  requiredOnKeyword,
  type SchemasTogether,
  type Side,
  takeTogether,
} from '../json-schema/together.ts';
import { elementsOf, memberOf, type Part, type Placed, pointed, resolved } from './document.ts';

/** Most subschemas of a document. */
export const oasSubschemasMax = 20_000;

/** What a value of a text may be taken for. */
export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object';

/** Words for people and for other programs. */
const notes: ReadonlySet<string> = new Set(
  '$comment title description default deprecated example examples externalDocs xml discriminator readOnly writeOnly contentMediaType contentEncoding contentSchema'.split(
    ' ',
  ),
);

/** The schemas that a document uses, of all its parts, so that each is compiled once whoever refers to it. */
export class OasSchemas {
  readonly #document: Part;
  readonly #isThreeOne: boolean;
  /** Names of the schemas by their places, the other way round, and what they are, translated. */
  readonly #names = new Map<string, string>();
  readonly #places = new Map<string, string>();
  readonly #definitions = new Map<string, unknown>();
  readonly #pending: { readonly name: string; readonly part: Placed }[] = [];
  readonly #faults: FaultDetail[] = [];
  readonly #types = new Map<string, ReadonlySet<JsonType>>();
  #translatedCount = 0;
  /** What a schema has looked at counts beyond references. */
  readonly #isOfOnePiece: boolean;

  constructor(
    document: Part,
    { isThreeOne, isOfOnePiece }: { readonly isThreeOne: boolean; readonly isOfOnePiece: boolean },
  ) {
    this.#document = document;
    this.#isThreeOne = isThreeOne;
    this.#isOfOnePiece = isOfOnePiece;
  }

  /** Takes a schema that stands somewhere in the document; the name under which it is judged later. */
  take(part: Placed): string {
    const known = this.#names.get(part.at);
    if (known !== undefined) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(part.at, name);
    this.#places.set(name, part.at);
    this.#pending.push({ name, part });
    return name;
  }

  /** All that were taken, with those that they refer to; faults say their places. */
  together(): SchemasTogether {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop())
      this.#definitions.set(next.name, this.#translated(next.part, 0));
    if (this.#faults.length > 0) return { faults: this.#faults, judgeOf: () => undefined };
    const made = takeTogether(this.#definitions, {
      dialect: this.#dialect,
      subschemasMax: oasSubschemasMax,
      isOfOnePiece: this.#isOfOnePiece,
    });
    const faults = made.faults.map(({ path, message }) => {
      const [name = '', ...rest] = path.split('/');
      return { path: [this.#places.get(name) ?? name, ...rest].join('/'), message };
    });
    return { ...made, faults };
  }

  get #dialect(): '2020-12' | 'draft-04' {
    return this.#isThreeOne ? '2020-12' : 'draft-04';
  }

  /** What a value under a schema may be, as far as it says; nothing where it says nothing. */
  typesOf(part: Placed): ReadonlySet<JsonType> {
    const known = this.#types.get(part.at);
    if (known !== undefined) return known;
    const types = new Set<JsonType>();
    this.#types.set(part.at, types);
    // Those of the branches of a union, each looked at once.
    const pending: Placed[] = [part];
    const seen = new Set<string>();
    for (let next = pending.pop(); next !== undefined && seen.size < looksMax; next = pending.pop()) {
      const found = resolved(this.#document, next);
      if (found === undefined || !isObject(found.value) || seen.has(found.at)) continue;
      seen.add(found.at);
      for (const type of typesSaid(found.value)) types.add(type);
      if (found.value['type'] === undefined)
        for (const word of ['allOf', 'anyOf', 'oneOf']) pending.push(...elementsOf(memberOf(found, word)));
    }
    return types;
  }

  /** The schemas of the members of an object, as far as it names them. */
  propertiesOf(part: Placed): ReadonlyMap<string, Placed> {
    const properties = new Map<string, Placed>();
    const pending: Placed[] = [part];
    const seen = new Set<string>();
    for (let next = pending.pop(); next !== undefined && seen.size < looksMax; next = pending.pop()) {
      const found = resolved(this.#document, next);
      if (found === undefined || seen.has(found.at)) continue;
      seen.add(found.at);
      const own = memberOf(found, 'properties');
      for (const name of isObject(own.value) ? Object.keys(own.value) : [])
        if (properties.size < membersMax) properties.set(name, memberOf(own, name));
      pending.push(...elementsOf(memberOf(found, 'allOf')));
    }
    return properties;
  }

  /** The schema of the elements of a list. */
  itemsOf(part: Placed): Placed {
    return memberOf(resolved(this.#document, part) ?? { value: undefined, at: part.at }, 'items');
  }

  /** A schema of OpenAPI as the compiler knows it. */
  #translated(part: Placed, depth: number): unknown {
    const { value, at } = part;
    if (!isObject(value)) return value;
    // A document of YAML may hold itself.
    this.#translatedCount += 1;
    const isDeep = depth > schemaDepthMax;
    if (isDeep || this.#translatedCount > 2 * oasSubschemasMax) {
      const most = isDeep ? `nested deeper than ${schemaDepthMax}` : `one of more than ${oasSubschemasMax}`;
      if (this.#faults.length === 0) this.#fault(at, `is ${most} schemas`);
      return true;
    }
    if (typeof value['$ref'] !== 'string') return this.#members(value, part, depth);
    const target = pointed(this.#document, value['$ref']);
    if (target === undefined) {
      const ref = JSON.stringify(value['$ref'].slice(0, 200));
      this.#fault(at, `refers to ${ref}, which is not in the document; nothing outside of it is read`);
      return true;
    }
    const name = this.take(target);
    const lead = this.#isOfOnePiece ? { $ref: `#/definitions/${name}` } : { [gotoKeyword]: name };
    // Beside a reference 3.0 passes everything over.
    if (!this.#isThreeOne) return lead;
    const { $ref: _, ...beside } = value;
    return { ...lead, ...this.#members(beside, part, depth) };
  }

  #members(schema: Part, { at }: Placed, depth: number): Part {
    const placed: Placed = { value: schema, at };
    const made = new Map<string, unknown>();
    for (const [keyword, value] of Object.entries(schema)) {
      if (notes.has(keyword) || keyword.startsWith('x-')) continue;
      const member = memberOf(placed, keyword);
      this.#checkPatterns(keyword, member);
      if (keyword === gotoKeyword || keyword === requiredOnKeyword)
        this.#fault(
          member.at,
          'is no keyword of this version of JSON Schema; what is meant for people may be called x-...',
        );
      else if (keyword === 'required' && Array.isArray(value)) this.#require(placed, value, made);
      else if (this.#says(keyword, value)) made.set(keyword, this.#inner(keyword, member, depth));
    }
    const { nullable, type } = schema;
    if (!this.#isThreeOne && nullable === true && typeof type === 'string') made.set('type', [type, 'null']);
    return Object.fromEntries(made);
  }

  /** What a keyword says, with the schemas that stand in it. */
  #inner(keyword: string, member: Placed, depth: number): unknown {
    const { value } = member;
    const inner = (each: Placed): unknown => this.#translated(each, depth + 1);
    if (lists.has(keyword) && Array.isArray(value)) return elementsOf(member).map(inner);
    if (single.has(keyword) && isObject(value)) return inner(member);
    if (!maps.has(keyword) || !isObject(value)) return value;
    return Object.fromEntries(Object.keys(value).map((name) => [name, inner(memberOf(member, name))]));
  }

  /** Formats that nobody knows say something to people, as OpenAPI has it. */
  #says(keyword: string, value: unknown): boolean {
    if (keyword === 'nullable') return this.#isThreeOne;
    if (keyword !== 'format' || typeof value !== 'string') return true;
    return knowsFormat(compilerOf(this.#dialect), value);
  }

  /** Members that are only read need not be in requests, those that are only written not in answers. */
  #require(schema: Placed, names: readonly unknown[], made: Map<string, unknown>): void {
    const properties = memberOf(schema, 'properties');
    const one: Record<Side, unknown[]> = { request: [], response: [] };
    const both: unknown[] = [];
    for (const name of names) {
      const found =
        typeof name === 'string' ? resolved(this.#document, memberOf(properties, name))?.value : undefined;
      const isRead = isObject(found) && found['readOnly'] === true;
      const isWritten = isObject(found) && found['writeOnly'] === true;
      if (!isRead && !isWritten) both.push(name);
      else if (isRead !== isWritten) one[isRead ? 'response' : 'request'].push(name);
    }
    // Draft 04 wants one name at least.
    if (both.length > 0) made.set('required', both);
    if (one.request.length + one.response.length > 0) made.set(requiredOnKeyword, one);
  }

  #checkPatterns(keyword: string, member: Placed): void {
    const patterns =
      keyword === 'pattern' && typeof member.value === 'string'
        ? [member.value]
        : keyword === 'patternProperties' && isObject(member.value)
          ? Object.keys(member.value)
          : [];
    for (const pattern of patterns) {
      const why = patternFault(pattern);
      if (why !== undefined) this.#fault(member.at, why);
    }
  }

  #fault(path: string, message: string): void {
    if (this.#faults.length < 20) this.#faults.push({ path, message });
  }
}

/** Schemas of a union that are looked at, and members of an object, to find out how a text is to be read. */
const looksMax = 100;
const membersMax = 500;

function typesSaid({ type, nullable, enum: values, properties, items }: Part): readonly JsonType[] {
  const said = (Array.isArray(type) ? type : [type]).filter(isJsonTypeName);
  if (said.length > 0) return nullable === true ? [...said, 'null'] : said;
  return [
    ...(isObject(properties) ? (['object'] as const) : []),
    ...(items === undefined ? [] : (['array'] as const)),
    ...(Array.isArray(values) ? values.slice(0, looksMax).map(typeOfValue) : []),
  ];
}

const typeNames: readonly unknown[] = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];
const isJsonTypeName = (name: unknown): name is JsonType => typeNames.includes(name);

function typeOfValue(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'number' || type === 'boolean' || type === 'object' ? type : 'string';
}
