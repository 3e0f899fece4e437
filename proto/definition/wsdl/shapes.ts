import { invalid } from '../clean.ts';
import type { Json } from '../opened.ts';
import { type Documents, type Schema, xsd } from './documents.ts';
import { builtInType, restricted, restrictionOf } from './simple-types.ts';
import { childrenOf, localIn, referredName, uriIn, type XmlElement } from './xml.ts';

/** Most elements and attributes of one message, and how deep its types may stand in each other. */
const fieldsMax = 1_000;
const levelsMax = 24;
/** A name that is nothing but one, of 128 characters at most: it becomes part of elements, paths and texts of expressions. */
export const ncName = /^[\p{L}_][\p{L}\p{N}._-]{0,127}$/u;

/** An element as a message has it. */
export interface Shape {
  readonly local: string;
  /** Its namespace; '' for one that is in none. */
  readonly uri: string;
  readonly isRequired: boolean;
  readonly isList: boolean;
  readonly isNillable: boolean;
  readonly content: Content;
}

/** What stands in an element: a value, or others. */
export type Content =
  | { readonly kind: 'value'; readonly schema: Json }
  | {
      readonly kind: 'elements';
      readonly attributes: readonly Attribute[];
      readonly elements: readonly Shape[];
      /** Of a value beside attributes. */
      readonly value: Json | undefined;
    };

/** An attribute, under the name that it has in JSON. */
export interface Attribute {
  readonly local: string;
  readonly uri: string;
  readonly isRequired: boolean;
  readonly schema: Json;
}

/** What of schemas is found by its name. */
const globals = ['element', 'complexType', 'simpleType', 'group', 'attributeGroup', 'attribute'] as const;

interface Found {
  readonly element: XmlElement;
  readonly schema: Schema;
}

/** The children of a type, flat. */
interface Parts {
  readonly attributes: Attribute[];
  readonly elements: Shape[];
  value: Json | undefined;
}

const emptyParts = (): Parts => ({ attributes: [], elements: [], value: undefined });
/** Whether what encloses an element may be missing, or there several times. */
interface Around {
  readonly isOptional: boolean;
  readonly isRepeated: boolean;
}
const once: Around = { isOptional: false, isRepeated: false };

/** What of all schemas is found by its name. */
class Globals {
  readonly #known = new Map<string, Found>();

  constructor({ schemas }: Documents) {
    for (const schema of schemas)
      for (const element of schema.element.children) {
        const name = element.attributes.get('name');
        if (name !== undefined && globals.some((kind) => element.name === `{${xsd}}${kind}`))
          this.#known.set(`${element.local} {${schema.target}}${name}`, { element, schema });
      }
  }

  find(kind: (typeof globals)[number], name: string): Found | undefined {
    return this.#known.get(`${kind} ${name}`);
  }

  demand(kind: (typeof globals)[number], name: string, from: XmlElement): Found {
    const found = this.find(kind, name);
    if (found === undefined)
      throw refused(from, `there is no ${kind} ${localIn(name)} in the namespace "${uriIn(name)}"`);
    return found;
  }
}

/** Makes shapes of the elements and types of a description's schemas. */
export class Shapes {
  readonly #known: Globals;
  #left = fieldsMax;
  /** Types that are being read: one that holds itself has no end. */
  readonly #open: unknown[] = [];

  constructor(documents: Documents) {
    this.#known = new Globals(documents);
  }

  /** The element of a message. Errors: request.invalid, with the line, for what cannot be written from JSON. */
  ofElement(name: string, from: XmlElement): Shape {
    this.#begin();
    const found = this.#known.demand('element', name, from);
    return this.#element(found, { name, around: once });
  }

  /** An element in no namespace, of a type: a part of a message by procedure. */
  ofType(local: string, type: string, from: XmlElement): Shape {
    this.#begin();
    this.#spend(from, local);
    const content = this.#type(type, from);
    return { local, uri: '', isRequired: true, isList: false, isNillable: false, content };
  }

  #begin(): void {
    this.#left = fieldsMax;
    this.#open.length = 0;
  }

  #element(
    { element, schema }: Found,
    { name, around }: { readonly name: string; readonly around: Around },
  ): Shape {
    this.#spend(element, localIn(name));
    const { attributes } = element;
    if (attributes.get('abstract') === 'true')
      throw refused(
        element,
        `the element ${localIn(name)} is abstract: what stands in its place is not read`,
      );
    const type = attributes.get('type');
    const inner = childrenOf(element, `{${xsd}}complexType`)[0];
    const simple = childrenOf(element, `{${xsd}}simpleType`)[0];
    const content =
      type !== undefined
        ? this.#type(nameIn(schema, element, type), element)
        : inner !== undefined
          ? this.#within(element, element, () => this.#complex({ element: inner, schema }))
          : {
              kind: 'value' as const,
              schema:
                simple === undefined ? builtInType('string') : this.#simple({ element: simple, schema }),
            };
    return {
      local: localIn(name),
      uri: uriIn(name),
      ...occurrence(element, around),
      isNillable: attributes.get('nillable') === 'true',
      content,
    };
  }

  #type(name: string, from: XmlElement): Content {
    if (uriIn(name) === xsd && localIn(name) !== 'anyType')
      return { kind: 'value', schema: builtInType(localIn(name)) };
    if (uriIn(name) === xsd) throw refused(from, 'xs:anyType can hold anything, which JSON cannot say');
    const simple = this.#known.find('simpleType', name);
    if (simple !== undefined) return { kind: 'value', schema: this.#simple(simple) };
    const found = this.#known.demand('complexType', name, from);
    if (found.element.attributes.get('abstract') === 'true')
      throw refused(
        found.element,
        `the type ${localIn(name)} is abstract: what stands in its place is not read`,
      );
    return this.#within(`type ${name}`, from, () => this.#complex(found));
  }

  #within<Result>(key: string | XmlElement, from: XmlElement, read: () => Result): Result {
    if (this.#open.includes(key))
      throw refused(
        from,
        `${typeof key === 'string' ? localIn(key) : (key.attributes.get('name') ?? 'a type')} holds itself: no expression writes what has no end`,
      );
    if (this.#open.length === levelsMax) throw refused(from, `types are nested deeper than ${levelsMax}`);
    this.#open.push(key);
    const result = read();
    this.#open.pop();
    return result;
  }

  #complex(found: Found): Content {
    const parts = this.#partsOf(found);
    const { attributes, elements, value } = parts;
    if (value !== undefined && attributes.length === 0) return { kind: 'value', schema: value };
    const doubled = doubledIn(parts);
    if (doubled !== undefined)
      throw refused(found.element, `${doubled} stands for two things in one element, which JSON cannot say`);
    return { kind: 'elements', attributes, elements, value };
  }

  #partsOf({ element, schema }: Found): Parts {
    const parts = emptyParts();
    for (const child of element.children) {
      const found = { element: child, schema };
      if (child.name === `{${xsd}}complexContent` || child.name === `{${xsd}}simpleContent`)
        this.#derived(parts, found);
      else this.#add(parts, found, once);
    }
    return parts;
  }

  /** What an extension adds to its base, and what a restriction leaves of it. */
  #derived(parts: Parts, { element, schema }: Found): void {
    const derivation = element.children.find(({ local }) => local === 'extension' || local === 'restriction');
    if (derivation === undefined) return;
    const base = nameIn(schema, derivation, derivation.attributes.get('base') ?? '');
    const isExtension = derivation.local === 'extension';
    if (uriIn(base) === 'http://schemas.xmlsoap.org/soap/encoding/')
      throw refused(
        derivation,
        `${localIn(base)} is of the SOAP encoding; types of XML Schema alone are read`,
      );
    if (element.local === 'simpleContent') {
      const of = this.#valueParts(base, derivation);
      parts.value = isExtension ? of.value : restricted(of.value ?? builtInType('string'), derivation);
      parts.attributes.push(...of.attributes);
    } else if (uriIn(base) !== xsd) {
      const found = this.#known.demand('complexType', base, derivation);
      const of = this.#within(`type ${base}`, derivation, () => this.#partsOf(found));
      if (isExtension) parts.elements.push(...of.elements);
      parts.attributes.push(...of.attributes);
    }
    for (const child of derivation.children) this.#add(parts, { element: child, schema }, once);
  }

  #valueParts(base: string, from: XmlElement): Parts {
    const complex = this.#known.find('complexType', base);
    if (complex !== undefined) return this.#within(`type ${base}`, from, () => this.#partsOf(complex));
    const content = this.#type(base, from);
    return { ...emptyParts(), value: content.kind === 'value' ? content.schema : undefined };
  }

  /** What one child of a type, a group or a derivation brings; what allows anything, and documents, bring nothing. */
  #add(parts: Parts, found: Found, around: Around): void {
    const { element, schema } = found;
    const reference = element.attributes.get('ref');
    const referred = reference === undefined ? undefined : nameIn(schema, element, reference);
    switch (element.name) {
      case `{${xsd}}element`:
        return void parts.elements.push(this.#member(found, { referred, around }));
      case `{${xsd}}sequence`:
      case `{${xsd}}all`:
      case `{${xsd}}choice`: {
        const inside = insideOf(element, around);
        if (inside.isRepeated && element.local === 'sequence' && element.children.length > 1)
          throw refused(element, 'several elements that repeat together have no place in JSON');
        for (const child of element.children) this.#add(parts, { element: child, schema }, inside);
        return;
      }
      case `{${xsd}}group`:
      case `{${xsd}}attributeGroup`: {
        if (referred === undefined) return;
        const group = this.#known.demand(element.local as 'group' | 'attributeGroup', referred, element);
        const inside = insideOf(element, around);
        return this.#within(`${element.local} ${referred}`, element, () => {
          for (const child of group.element.children)
            this.#add(parts, { element: child, schema: group.schema }, inside);
        });
      }
      case `{${xsd}}attribute`:
        return this.#attribute(parts, found, referred);
      default:
        return;
    }
  }

  #member(
    { element, schema }: Found,
    { referred, around }: { readonly referred: string | undefined; readonly around: Around },
  ): Shape {
    if (referred !== undefined) {
      const global = this.#element(this.#known.demand('element', referred, element), {
        name: referred,
        around: once,
      });
      return { ...global, ...occurrence(element, around) };
    }
    const form = element.attributes.get('form') ?? schema.element.attributes.get('elementFormDefault');
    const uri = form === 'qualified' ? schema.target : '';
    return this.#element(
      { element, schema },
      { name: `{${uri}}${element.attributes.get('name') ?? ''}`, around },
    );
  }

  #attribute(parts: Parts, { element, schema }: Found, referred: string | undefined): void {
    if (element.attributes.get('use') === 'prohibited') return;
    const isKnown = referred === undefined || this.#known.find('attribute', referred) !== undefined;
    // xml:lang and its like.
    if (!isKnown) return;
    const declared =
      referred === undefined ? { element, schema } : this.#known.demand('attribute', referred, element);
    const { element: of, schema: home } = declared;
    const local = of.attributes.get('name') ?? '';
    this.#spend(element, local);
    const form = of.attributes.get('form') ?? home.element.attributes.get('attributeFormDefault');
    const type = of.attributes.get('type');
    const inner = childrenOf(of, `{${xsd}}simpleType`)[0];
    const content = type === undefined ? undefined : this.#type(nameIn(home, of, type), of);
    const own = inner === undefined ? builtInType('string') : this.#simple({ element: inner, schema: home });
    parts.attributes.push({
      local,
      uri: referred !== undefined || form === 'qualified' ? home.target : '',
      isRequired: element.attributes.get('use') === 'required',
      schema: content?.kind === 'value' ? content.schema : own,
    });
  }

  #simple({ element, schema }: Found): Json {
    return this.#within(element, element, () => {
      const restriction = restrictionOf(element);
      if (restriction === undefined) return builtInType('string');
      const inner = childrenOf(restriction, `{${xsd}}simpleType`)[0];
      const base = restriction.attributes.get('base');
      if (base === undefined)
        return restricted(
          inner === undefined ? builtInType('string') : this.#simple({ element: inner, schema }),
          restriction,
        );
      const content = this.#type(nameIn(schema, restriction, base), restriction);
      return content.kind === 'value' ? restricted(content.schema, restriction) : builtInType('string');
    });
  }

  /** Counts a field, whose name becomes part of expressions. */
  #spend(element: XmlElement, local: string): void {
    if (!ncName.test(local))
      throw refused(element, `${JSON.stringify(local.slice(0, 100))} is no name of XML`);
    this.#left -= 1;
    if (this.#left < 0)
      throw refused(element, `a message has more than ${fieldsMax} elements and attributes`);
  }
}

/** A name that a schema refers to; without a prefix it is of whoever includes a schema that has no namespace. */
function nameIn({ target, isOfIncluder }: Schema, element: XmlElement, written: string): string {
  const name = referredName(element, written);
  return isOfIncluder && uriIn(name) === '' ? `{${target}}${localIn(name)}` : name;
}

function occurrence(element: XmlElement, around: Around): Pick<Shape, 'isRequired' | 'isList'> {
  const max = element.attributes.get('maxOccurs') ?? '1';
  return {
    isRequired: !around.isOptional && element.attributes.get('minOccurs') !== '0',
    isList: around.isRepeated || (max !== '1' && max !== '0'),
  };
}

function insideOf(element: XmlElement, around: Around): Around {
  const { isRequired, isList } = occurrence(element, around);
  return { isOptional: !isRequired || element.local === 'choice', isRepeated: isList };
}

/** A name that two have, where JSON has one member: elements, attributes, and the value beside these. */
function doubledIn({ attributes, elements, value }: Parts): string | undefined {
  const names = [...elements, ...attributes].map(({ local }) => local);
  if (value !== undefined) names.push('content');
  return names.find((name, index) => names.indexOf(name) !== index);
}

/** A fault with its line. */
export const refused = (element: XmlElement, message: string): Error =>
  invalid([{ path: '', message: `line ${element.line}: ${message}` }]);
